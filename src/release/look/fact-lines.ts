/** Facts as a host's script prints them: a line each, `key rest of the line`. Pure. */

/** @returns the rest of each line with a key, in order. */
export function factLines(text: string): (key: string) => readonly string[] {
  const lines = text.split('\n').map((line) => splitOnce(line));
  return (wanted) => lines.filter(([key]) => key === wanted).map(([, rest]) => rest);
}

/** A word and what follows it. */
export function splitOnce(text: string): readonly [string, string] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}
