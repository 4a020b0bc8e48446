/** Hides secrets in text that leaves the program: a log, a state, an event, the dashboard. Pure. */

const HIDDEN = '***';

/**
 * Hides the credentials of addresses, the values of Authorization headers, and the secrets that are known.
 * @param secrets as they may appear in the text; short ones hide more than they should, never less
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  // The longest first: one secret may hold another.
  const known = secrets.filter((secret) => secret !== '').toSorted((a, b) => b.length - a.length);
  return known
    .reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
    .replace(
      /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:[A-Za-z][\w-]*[ \t]+)?[^\s"',;}]+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi, `$1${HIDDEN}@`);
}
