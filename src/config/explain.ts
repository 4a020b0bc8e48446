/** From what the schema found to sentences for people: pure. */
import type { z } from 'zod';
import { closest } from '../errors.ts';
import { type JsonSchema, keysAt, pipelineJsonSchema, schemasAt } from './json-schema.ts';
import { type Path, pathText, valueAt } from './positions.ts';
import { configSchema } from './schema.ts';
import { alternatives, gotWords, hint } from './words.ts';

/** A mistake whose line is still to be found. */
export interface PathMistake {
  readonly path: Path;
  readonly message: string;
}

/** The mistakes in `raw` that the issues tell of. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], raw: unknown): PathMistake[] {
  if (issues.length === 0) return [];
  const root = pipelineJsonSchema();
  const found = issues.flatMap((issue) => explain(issue, raw, root));
  // A key that is missing because it is misspelt is one mistake, not two.
  const meant = new Set(found.flatMap(({ meant }) => (meant === undefined ? [] : [pathText(meant)])));
  return found.filter(({ path, isMissing }) => !(isMissing === true && meant.has(pathText(path))));
}

interface Explained extends PathMistake {
  readonly isMissing?: boolean;
  /** The path that an unknown key probably stands for. */
  readonly meant?: Path;
}

function explain(issue: z.core.$ZodIssue, raw: unknown, root: JsonSchema): Explained[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(path, key, root));
  }
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    return [{ path, message: `not a name that can stand here: ${inner?.message ?? issue.message}` }];
  }
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, message: missing(path, root), isMissing: true }];
  const words = `got ${gotWords(path, value)}${hint(issue, value, () => fitsInQuotes(raw, path))}`;
  if (issue.code !== 'invalid_union') return [{ path, message: `${issue.message}, ${words}` }];
  const forms = schemasAt(root, path).flatMap(({ anyOf }) => anyOf ?? []);
  const meant = issue.errors[meantForm(forms, value)];
  if (meant !== undefined) {
    return meant.flatMap((inner) =>
      explain({ ...inner, path: [...path, ...inner.path] } as z.core.$ZodIssue, raw, root),
    );
  }
  const expected = issue.message || `expected ${alternatives(forms.map(formWords))}`;
  return [{ path, message: `${expected}, ${words}` }];
}

/** Whether the schema would take what stands at a path if it were text. */
function fitsInQuotes(raw: unknown, path: Path): boolean {
  const quoted = structuredClone(raw);
  const key = path.at(-1);
  const parent = valueAt(quoted, path.slice(0, -1)) as Record<string | number, unknown>;
  if (key === undefined) return false;
  parent[key] = String(parent[key]);
  const { error } = configSchema.safeParse(quoted);
  const here = pathText(path);
  return !error?.issues.some((issue) => {
    const at = pathText(issue.path as Path);
    return at === here || (issue.code === 'invalid_union' && here.startsWith(at));
  });
}

/**
 * Of several forms the one that was meant: a mapping with a key that stands there, a list for a list, text
 * for text. -1: none.
 */
function meantForm(forms: readonly JsonSchema[], value: unknown): number {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const known = forms.map(({ properties }) => Object.keys(properties ?? {}));
    return known.findIndex((keys) => Object.keys(value).some((key) => closest(key, keys) !== undefined));
  }
  const type = Array.isArray(value) ? 'array' : typeof value;
  const alike = forms.filter((form) => form.type === type);
  return alike.length === 1 ? forms.findIndex((form) => form.type === type) : -1;
}

function formWords({ type, properties }: JsonSchema): string {
  if (properties !== undefined) return `{ ${Object.keys(properties).join(', ')}: … }`;
  return (
    { integer: 'a whole number', array: 'a list', string: 'text', number: 'a number' }[type ?? ''] ??
    String(type)
  );
}

function missing(path: Path, root: JsonSchema): string {
  const [schema] = schemasAt(root, path);
  return schema?.description === undefined ? 'is missing' : `is missing: ${schema.description}`;
}

/** The nearest key that may stand there; else the same key one level further in, or further out. */
function unknownKey(parent: Path, key: string, root: JsonSchema): Explained {
  const path = [...parent, key];
  const keys = keysAt(root, parent);
  if (keys.includes(key)) {
    const forms = schemasAt(root, parent).flatMap(({ anyOf }) => anyOf ?? []);
    return { path, message: `stands beside another form: expected ${alternatives(forms.map(formWords))}` };
  }
  const guess = closest(key, keys);
  if (guess !== undefined) {
    return { path, message: `unknown key, did you mean "${guess}"?`, meant: [...parent, guess] };
  }
  const inside = keys.find((near) => keysAt(root, [...parent, near]).includes(key));
  if (inside !== undefined) return { path, message: `unknown key here, did you mean "${inside}.${key}"?` };
  for (let length = parent.length - 1; length >= 0; length--) {
    const outer = parent.slice(0, length);
    if (!keysAt(root, outer).includes(key)) continue;
    return { path, message: `unknown key here, did you mean "${pathText([...outer, key])}"?` };
  }
  return { path, message: `unknown key: expected ${alternatives(keys)}` };
}
