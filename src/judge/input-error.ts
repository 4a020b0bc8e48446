/** A document that a judge cannot read: which path is wrong, and what was expected there. */
export class JudgeInputError extends Error {
  override readonly name = 'JudgeInputError';
  /** Where in the document, e.g. `metricSetPairList[2].values.control[7]`. */
  readonly path: string;
  /** What the judge expects there. */
  readonly expected: string;

  constructor(path: string, expected: string, found?: unknown) {
    super(`${path}: expected ${expected}${found === undefined ? '' : `, found ${describe(found)}`}.`);
    this.path = path;
    this.expected = expected;
  }
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
