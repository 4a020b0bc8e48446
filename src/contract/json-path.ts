/** A value in a JSON text, by a path of names with dots between them. Pure. */

/** undefined: the text is no JSON, or has nothing there. */
export function atJsonPath(text: string, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
