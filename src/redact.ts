/** Hides secrets in text that leaves the program: a log, a state, an error, an event, the dashboard. Pure. */

const HIDDEN = '***';

/** Ends of names whose value is a secret, wherever such a name stands. */
const SECRET_NAME =
  '(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)';

/** Headers besides Authorization that prove who asks. */
const SECRET_HEADER = '(?:set-)?cookie|x-api-key|api-key|(?:x-|private-|auth-)+token';

/**
 * A value in quotes, or up to what ends a word. What a shell fills in itself (`$x`, `$(…)`) is no secret yet.
 */
const VALUE = `(?:"[^"\\n]*"|'[^'\\n]*'|[^\\s"'$&,;)}\\]]+)`;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  // A header, as HTTP, JSON or a command line writes it; a scheme before its value counts to it.
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:[A-Za-z][\w-]*[ \t]+)?[^\s"',;}]+/gi, `$1${HIDDEN}`],
  [
    new RegExp(`\\b(${SECRET_HEADER})(["']?\\s*:\\s*["']?)[^\\s"'}]+(?: [^\\s"'}=]+=[^\\s"'}]+)*`, 'gi'),
    `$1$2${HIDDEN}`,
  ],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi, `$1${HIDDEN}@`],
  // `DB_PASSWORD=x`, `--password=x`, `?token=x`, and the same as a member of a JSON object.
  [new RegExp(`(${SECRET_NAME}=)(?!\\*\\*\\*)${VALUE}`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(`(${SECRET_NAME}["']\\s*:\\s*)${VALUE}`, 'gi'), `$1"${HIDDEN}"`],
  [new RegExp(`(\\s--?(?:[a-z]+-)*${SECRET_NAME}\\s+)(?!-)${VALUE}`, 'gi'), `$1${HIDDEN}`],
];

/**
 * A function that hides the secrets that are known, and what looks like one: credentials in addresses,
 * headers that prove who asks, private keys, values of names like `password` in environments, command lines
 * and JSON.
 * @param secrets as they may appear in the text. Text is often shown line by line, so the lines of a secret
 *   with several (a private key) are hidden one by one too; lines shorter than four characters would hide
 *   half of any text and are left.
 */
export function redactor(secrets: readonly string[] = []): (text: string) => string {
  const words = new Set<string>();
  for (const secret of secrets) {
    if (secret !== '') words.add(secret);
    for (const line of secret.split(/\r?\n/)) if (line.trim().length >= 4) words.add(line.trim());
  }
  // The longest first: a secret that contains another one must vanish as a whole.
  const ordered = [...words].sort((a, b) => b.length - a.length);
  return (text) =>
    PATTERNS.reduce(
      (shown, [pattern, instead]) => shown.replace(pattern, instead),
      ordered.reduce((shown, word) => shown.replaceAll(word, HIDDEN), text),
    );
}

/** One text without secrets: see `redactor`. */
export function redact(text: string, secrets: readonly string[] = []): string {
  return redactor(secrets)(text);
}

/** Values of an environment whose names say that they are secrets; not the paths of files that hold one. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const secret = new RegExp(`${SECRET_NAME}s?$`, 'i');
  return Object.entries(env).flatMap(([name, value = '']) =>
    secret.test(name) && value.length >= 8 && !/^[~.]?\//.test(value) ? [value] : [],
  );
}
