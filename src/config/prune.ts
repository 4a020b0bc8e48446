/** What is left of a configuration without its wrong parts: pure. */
import type { z } from 'zod';
import { type Path, valueAt } from './positions.ts';
import { type ConfigValues, configSchema } from './schema.ts';

/**
 * The configuration without what is wrong in it, so that what refers to what can be checked all the same;
 * undefined where too little is left.
 */
export function withoutWrongParts(
  raw: unknown,
  issues: readonly z.core.$ZodIssue[],
): ConfigValues | undefined {
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
