/** What is published beside the definition: the JSON Schema and the annotated reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isCollection,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parse,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { type JsonSchema, pipelineJsonSchema, schemaText } from '../../src/config/json-schema.ts';
import { readConfig } from '../../src/config/mistakes.ts';
import { valueAt } from '../../src/config/positions.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Every key that the schema knows, as a path; `*` stands for a name that the user chooses. */
function keys(
  schema: JsonSchema,
  path: readonly string[] = [],
): { path: readonly string[]; schema: JsonSchema }[] {
  const named = Object.entries(schema.properties ?? {}).map(([key, inner]) => ({
    path: [...path, key],
    schema: inner,
  }));
  const free =
    typeof schema.additionalProperties === 'object'
      ? [{ path: [...path, '*'], schema: schema.additionalProperties }]
      : [];
  const inside = [...named, ...free].flatMap(({ path: at, schema: inner }) => keys(inner, at));
  const forms = [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])];
  return [...named, ...inside, ...forms.flatMap((form) => keys(form, path))];
}

/** The values that stand at such a path; lists are looked through. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  const [key, ...rest] = path;
  if (key === undefined) return [value];
  if (typeof value !== 'object' || value === null) return [];
  const found =
    key === '*'
      ? Object.values(value)
      : Object.hasOwn(value, key)
        ? [(value as Record<string, unknown>)[key]]
        : [];
  return found.flatMap((inner) => valuesAt(inner, rest));
}

const known = keys(pipelineJsonSchema());

test('the published JSON Schema is the current one (npm run schema)', () => {
  expect(read('schema/pipeline.schema.json')).toBe(schemaText());
});

test('every key has a description for editors', () => {
  expect(known.length).toBeGreaterThan(80);
  expect(
    known.filter(({ schema }) => schema.description === undefined).map(({ path }) => path.join('.')),
  ).toEqual([]);
});

describe('docs/pipeline.reference.yml', () => {
  const text = read('docs/pipeline.reference.yml');

  test('is a configuration without a mistake', () => {
    expect(readConfig(text).mistakes).toEqual([]);
  });

  test('shows every key', () => {
    const reference: unknown = parse(text);
    const missing = known.filter(({ path }) => valuesAt(reference, path).length === 0);
    expect(missing.map(({ path }) => path.join('.'))).toEqual([]);
  });

  /** Lines like `keep: 5 # releases … (default 5)`: the path of the key, and the default as YAML. */
  const stated = (() => {
    const document = parseDocument(text);
    const found: { path: readonly unknown[]; value: unknown }[] = [];
    visit(document, {
      Pair(_key, pair, ancestors) {
        if (isCollection(pair.value) && pair.value.flow !== true) return;
        const end = (pair.value as Node | null)?.range?.[1] ?? 0;
        const line = text.slice(end, text.indexOf('\n', end));
        const value = /#.*\bdefault (\[.*?\]|[^\s,;)]+)\)?$/.exec(line)?.[1];
        if (!isScalar(pair.key) || value === undefined || value === 'none') return;
        const path = [...ancestors, pair].flatMap((node, i, all) => {
          if (isPair(node)) return [(node.key as Scalar).value];
          return isSeq(node) ? [node.items.indexOf(all[i + 1] as Node)] : [];
        });
        found.push({ path, value: parse(value) });
      },
    });
    return found;
  })();

  test('states many defaults', () => expect(stated.length).toBeGreaterThan(20));

  test.each(stated.map(({ path, value }) => [path.join('.'), path, value]))(
    'tells the truth about the default of %s',
    (_name, path, value) => {
      const document = parseDocument(text);
      document.deleteIn(path as string[]);
      const without = readConfig(String(document));
      document.setIn(path as string[], value);
      const explicit = readConfig(String(document));
      expect(explicit.mistakes).toEqual([]);
      // What stays open here is decided by others: the size of a machine by the provider, for example.
      if (valueAt(without.values, path as string[]) !== undefined)
        expect(without.values).toEqual(explicit.values);
    },
  );
});

test.each(['pipeline.yml', 'examples/pipeline.yml'])('%s is a configuration without a mistake', (path) => {
  expect(readConfig(read(path)).mistakes).toEqual([]);
  expect(read(path)).toMatch(/^# yaml-language-server: \$schema=\S*schema\/pipeline\.schema\.json\n/);
});
