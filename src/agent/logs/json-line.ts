/** Lines of logs that are objects in JSON. */

/** The object's fields; undefined where the line is something else, or cut off. */
export function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
