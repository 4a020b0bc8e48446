/** A mistake in a rule, with its place: the first character is 1. */
export class RuleMistake extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}
