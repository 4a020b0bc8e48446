/** Columns of text. */
import { stripVTControlCharacters } from 'node:util';

/** Head and rows as lines, columns two blanks apart, colour codes not counted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}
