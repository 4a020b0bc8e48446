/** The difference between two texts, line by line, for people. */

/** Unchanged lines shown around a change. */
const CONTEXT = 2;
/** Lines shown at most; a plan is read, not scrolled. */
const LIMIT = 120;
/**
 * Cells of the table of the longest common subsequence; beyond it the differing part is shown as replaced.
 */
const MOST_CELLS = 4_000_000;

/**
 * Lines that begin with `-` (goes), `+` (comes) or a blank (context); `…` stands for what is left out. Empty
 * where the texts are equal.
 * `before` undefined: there was nothing.
 */
export function diffLines(before: string | undefined, after: string): readonly string[] {
  if (before === after) return [];
  const a = before === undefined ? [] : linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const lines = [
    ...a.slice(0, start).map((line) => ` ${line}`),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((line) => ` ${line}`),
  ];
  return bounded(withoutFarContext(lines));
}

/** A line end that is missing at the end of the text is a difference too. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines.push('(no line end)');
  return lines;
}

/** By the longest common subsequence. */
function middle(a: readonly string[], b: readonly string[]): string[] {
  if (a.length * b.length > MOST_CELLS)
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(` ${a[i]}`);
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(`-${a[i++]}`);
    else lines.push(`+${b[j++]}`);
  }
  return lines;
}

function withoutFarContext(lines: readonly string[]): string[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.startsWith(' ')) return;
    for (let k = index - CONTEXT; k <= index + CONTEXT; k++) near.add(k);
  });
  const kept: string[] = [];
  lines.forEach((line, index) => {
    if (near.has(index)) kept.push(line);
    else if (index > 0 && near.has(index - 1) && index < lines.length - 1) kept.push('…');
  });
  if (kept.at(-1) === '…') kept.pop();
  return kept;
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= LIMIT) return lines;
  return [...lines.slice(0, LIMIT), `… ${lines.length - LIMIT} more lines`];
}
