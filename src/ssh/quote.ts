/** Words for a POSIX shell. */

/**
 * Characters that no shell gives a meaning to; `~` and `=` are left out since they have one at the start or
 * inside a word.
 */
const PLAIN = /^[A-Za-z0-9_@%+:,./-]+$/;

/**
 * One word that a shell reads back unchanged. Also fish and csh, since it uses nothing but single quotes and
 * `\'`.
 * @throws RangeError for a NUL byte, which no argument can hold.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold a NUL byte');
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command line that runs exactly these arguments. */
export function command(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}
