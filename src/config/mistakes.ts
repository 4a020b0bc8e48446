/** Everything that is wrong with the text of a `pipeline.yml`, at once, and the configuration where nothing is: pure. */
import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { closest } from '../errors.ts';
import { type JsonSchema, keysAt, pipelineJsonSchema, schemasAt } from './json-schema.ts';
import { offsetOf, type Path, pathText } from './positions.ts';
import { checkReferences } from './references.ts';
import { type ConfigValues, configSchema } from './schema.ts';
import { alternatives, expectedWords, gotWords, quotesHint } from './words.ts';

export interface ConfigMistake {
  /** Counted from 1. */
  readonly line: number;
  /** What it is about, e.g. `apps.web.health`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export type ReadConfig =
  | { readonly values: ConfigValues; readonly mistakes: readonly [] }
  | { readonly values?: undefined; readonly mistakes: readonly ConfigMistake[] };

/** A mistake that is still to be found in the file. */
interface PathMistake {
  readonly path: Path;
  readonly message: string;
}

/** Reads the text of a `pipeline.yml`: YAML, then every value, then what refers to what. */
export function readConfig(text: string): ReadConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const syntax = document.errors.map((error) => syntaxMistake(error, lines, text));
  // Without its shape the file's values say nothing; of a doubled key only one value is wrong.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { mistakes: syntax };
  const raw = toValue(document);
  if (raw.mistake !== undefined)
    return { mistakes: [...syntax, { line: 1, path: '', message: raw.mistake }] };
  const parsed = configSchema.safeParse(raw.value, { error: expectedWords, reportInput: true });
  const found = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => schemaMistakes(issue, raw.value));
  const values = parsed.success ? parsed.data : withoutWrongParts(raw.value, parsed.error.issues);
  if (values !== undefined) {
    const rolesKnown = syntax.length === 0 && !found.some(({ path }) => path[0] === 'hosts');
    found.push(...checkReferences(values, { names: hostNames(raw.value), rolesKnown }));
  }
  const mistakes = found.map(({ path, message }) => ({
    line: lines.linePos(offsetOf(document, path)).line,
    path: pathText(path),
    message,
  }));
  const all = [...syntax, ...mistakes].sort((a, b) => a.line - b.line);
  return parsed.success && all.length === 0 ? { values: parsed.data, mistakes: [] } : { mistakes: all };
}

function toValue(document: Document): { value?: unknown; mistake?: string } {
  try {
    const value = document.toJS() as unknown;
    return value === null ? { mistake: 'the file is empty' } : { value };
  } catch (error) {
    // An alias without its anchor, or aliases of aliases that would grow without end.
    if (error instanceof ReferenceError) return { mistake: error.message };
    throw error;
  }
}

function syntaxMistake(error: YAMLError, lines: LineCounter, text: string): ConfigMistake {
  const offset = error.pos[0];
  const { line } = lines.linePos(offset);
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(offset))?.[0] ?? '';
    return { line, path: '', message: `the key "${key}" stands twice in the same mapping` };
  }
  if (error.code === 'TAB_AS_INDENT')
    return { line, path: '', message: 'a tab cannot indent YAML: use spaces' };
  const message = error.message.replace(/ at line \d+.*$/s, '');
  return { line, path: '', message: `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}` };
}

function schemaMistakes(issue: z.core.$ZodIssue, raw: unknown): PathMistake[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(path, key) }));
  }
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    return [{ path, message: `not a name that can stand here: ${inner?.message ?? issue.message}` }];
  }
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, message: missing(path) }];
  if (issue.code === 'invalid_union') return unionMistakes(issue, path, value, raw);
  return [{ path, message: `${issue.message}, got ${gotWords(path, value)}${quotesHint(issue, value)}` }];
}

/** Of several forms the one that was meant is the one with a key that stands there. */
function unionMistakes(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  value: unknown,
  raw: unknown,
): PathMistake[] {
  const forms = schemasAt(pipelineJsonSchema(), path).flatMap(({ anyOf }) => anyOf ?? []);
  const present = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const known = forms.map(({ properties }) => Object.keys(properties ?? {}));
  const meant = known.findIndex((keys) => present.some((key) => closest(key, keys) !== undefined));
  const issues = issue.errors[meant];
  if (issues !== undefined) {
    return issues.flatMap((inner) =>
      schemaMistakes({ ...inner, path: [...path, ...inner.path] } as z.core.$ZodIssue, raw),
    );
  }
  const message = issue.message.startsWith('expected')
    ? issue.message
    : `expected ${alternatives(forms.map(formWords))}`;
  return [{ path, message: `${message}, got ${gotWords(path, value)}` }];
}

function formWords({ type, properties }: JsonSchema): string {
  if (properties !== undefined) return `{ ${Object.keys(properties).join(', ')}: … }`;
  return (
    { integer: 'a whole number', array: 'a list', string: 'text', number: 'a number' }[type ?? ''] ??
    String(type)
  );
}

function missing(path: Path): string {
  const [schema] = schemasAt(pipelineJsonSchema(), path);
  return schema?.description === undefined ? 'is missing' : `is missing: ${schema.description}`;
}

/** The nearest key that may stand there; else the same key one level further in or out. */
function unknownKey(path: Path, key: string): string {
  const root = pipelineJsonSchema();
  const keys = keysAt(root, path);
  const guess = closest(key, keys);
  if (guess !== undefined) return `unknown key, did you mean "${guess}"?`;
  const inside = keys.find((near) => keysAt(root, [...path, near]).includes(key));
  if (inside !== undefined) return `unknown key here, did you mean "${inside}.${key}"?`;
  for (let length = path.length - 1; length >= 0; length--) {
    const outer = path.slice(0, length);
    if (keysAt(root, outer).includes(key))
      return `unknown key here, did you mean "${pathText([...outer, key])}"?`;
  }
  return `unknown key: expected ${alternatives(keys)}`;
}

/**
 * The configuration without what is wrong in it, so that what refers to what can be checked all the same; undefined where too little is left.
 */
function withoutWrongParts(raw: unknown, issues: readonly z.core.$ZodIssue[]): ConfigValues | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  let left: unknown = structuredClone({ project: 'unnamed', hosts: {}, ...raw });
  let wrong = issues;
  // Every round removes something, and a part that became incomplete goes with the next.
  for (let round = 0; round < 10; round++) {
    for (const issue of wrong) {
      const keys =
        issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
      for (const path of keys) remove(left, path as Path);
    }
    left = { project: 'unnamed', hosts: {}, ...(left as object) };
    const parsed = configSchema.safeParse(left);
    if (parsed.success) return parsed.data;
    wrong = parsed.error.issues;
  }
  return undefined;
}

/** Removes what stands at a path; where it is missing, what should hold it. */
function remove(root: unknown, path: Path): void {
  const key = path.at(-1);
  const parent = valueAt(root, path.slice(0, -1));
  if (key === undefined || typeof parent !== 'object' || parent === null) return;
  if (key in parent) delete (parent as Record<string | number, unknown>)[key];
  else remove(root, path.slice(0, -1));
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }, root);
}

function hostNames(raw: unknown): ReadonlySet<string> {
  const hosts = valueAt(raw, ['hosts']);
  return new Set(typeof hosts === 'object' && hosts !== null ? Object.keys(hosts) : []);
}
