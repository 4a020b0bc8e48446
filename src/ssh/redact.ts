/** Hides secrets in what people see. */

const HIDDEN = '***';

/**
 * A function that replaces every one of `secrets` by `***`. Output is shown line by line, so the lines of a secret with several lines (a private
 * key) are hidden one by one too; lines shorter than four characters would hide half of any text and are left.
 */
export function redactor(secrets: readonly string[] = []): (text: string) => string {
  const words = new Set<string>();
  for (const secret of secrets) {
    if (secret !== '') words.add(secret);
    for (const line of secret.split(/\r?\n/)) if (line.trim().length >= 4) words.add(line.trim());
  }
  // The longest first: a secret that contains another one must vanish as a whole.
  const ordered = [...words].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((shown, word) => shown.replaceAll(word, HIDDEN), text);
}
