/**
 * Checks of a JSON document against a shape, all mistakes at once, and the types of who writes and who reads
 * it. zod would cost the agent 11 MB.
 */
import { closest } from '../errors.ts';

/**
 * Checks one value; reports what is wrong with it and gives what stands for it.
 * `I`: what whoever writes the document may give, e.g. nothing where there is a default.
 */
export interface Check<T, I = T> {
  (value: unknown, path: string, report: (problem: string) => void): T;
  /** Of the types alone: never set. */
  readonly written?: I;
}

/** What a check gives. */
export type Read<C> = C extends Check<infer T, infer _I> ? T : never;

/** What a writer may give to a check: what may be absent may be left out. */
export type Written<C> = C extends Check<infer _T, infer I> ? I : never;

type Optional<S> = { [K in keyof S]: undefined extends Written<S[K]> ? K : never }[keyof S];

type WrittenObject<S> = {
  readonly [K in Exclude<keyof S, Optional<S>>]: Written<S[K]>;
} & { readonly [K in Optional<S>]?: Written<S[K]> };

export function text(options: { readonly pattern?: RegExp; readonly what?: string } = {}): Check<string> {
  return (value, path, report) => {
    if (typeof value === 'string' && (options.pattern?.test(value) ?? value !== '')) return value;
    report(`${path} must be ${options.what ?? 'a text that is not empty'}`);
    return '';
  };
}

export function number(min: number, max: number): Check<number> {
  return (value, path, report) => {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    report(`${path} must be a number from ${min} to ${max}`);
    return min;
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (value, path, report) => {
    const found = words.find((word) => word === value);
    if (found === undefined) report(`${path} must be one of ${words.join(', ')}`);
    return found ?? (words[0] as T);
  };
}

export function list<T, I>(element: Check<T, I>): Check<T[], readonly I[]> {
  return (value, path, report) => {
    if (Array.isArray(value)) return value.map((each, i) => element(each, `${path}[${i}]`, report));
    report(`${path} must be a list`);
    return [];
  };
}

/** Texts by name. */
export function record(
  element: Check<string>,
): Check<Record<string, string>, Readonly<Record<string, string>>> {
  return (value, path, report) => {
    if (!isObject(value)) report(`${path} must be an object`);
    const entries = isObject(value) ? Object.entries(value) : [];
    return Object.fromEntries(entries.map(([key, each]) => [key, element(each, `${path}.${key}`, report)]));
  };
}

export function optional<T, I>(check: Check<T, I>): Check<T | undefined, I | undefined> {
  return (value, path, report) => (value === undefined ? undefined : check(value, path, report));
}

export function withDefault<T, I>(check: Check<T, I>, standard: T): Check<T, I | undefined> {
  return (value, path, report) => (value === undefined ? standard : check(value, path, report));
}

/** An object of these members and no others. */
export function object<S extends Record<string, Check<unknown, unknown>>>(
  shape: S,
): Check<{ [K in keyof S]: Read<S[K]> }, WrittenObject<S>> {
  return (value, path, report) => {
    if (!isObject(value)) report(`${path || 'the document'} must be an object`);
    const given = isObject(value) ? value : {};
    const prefix = path === '' ? '' : `${path}.`;
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(shape, key)) continue;
      const meant = closest(key, Object.keys(shape));
      report(`${prefix}${key} is unknown${meant === undefined ? '' : `: did you mean ${meant}?`}`);
    }
    const members = isObject(value) ? Object.entries(shape) : [];
    return Object.fromEntries(
      members.map(([key, check]) => [key, check(given[key], `${prefix}${key}`, report)]),
    ) as { [K in keyof S]: Read<S[K]> };
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
