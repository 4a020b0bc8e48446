/** A rule as words: names in quotes may hold blanks. Pure. */

export interface Token {
  /** Place of its first character; that of the rule is 1. */
  readonly at: number;
  readonly text: string;
  readonly quoted: boolean;
}

const WORD = /"([^"]*)"|[<>]=?|[^\s<>"]+|"/g;

export function tokens(text: string): readonly Token[] {
  return [...text.matchAll(WORD)].map((match) => {
    const [whole, inner] = match;
    return { at: match.index + 1, text: inner ?? whole, quoted: inner !== undefined };
  });
}
