/** Hides secrets in lines of a log, also keys that go over several lines. */
import { redactor } from '../redact.ts';

const BEGIN = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const END = /-----END [A-Z ]*PRIVATE KEY-----/;
/** What a line of a key looks like, whatever stands before it. */
const OF_KEY = /[A-Za-z0-9+/=]{16,}\s*$/;
/** Shorter values would hide half of any text. */
const SHORTEST = 6;

/**
 * A function that hides secrets in the lines of one source after the other.
 * @param secrets values that are known
 */
export function hidingLines(secrets: readonly string[]): (source: string) => (text: string) => string {
  const hide = redactor(secrets.filter((secret) => secret.trim().length >= SHORTEST));
  const inKey = new Set<string>();
  return (source) => (text) => {
    if (inKey.has(source)) {
      if (END.test(text)) inKey.delete(source);
      else if (OF_KEY.test(text)) return '***';
      else inKey.delete(source);
    }
    if (BEGIN.test(text) && !END.test(text)) inKey.add(source);
    return hide(text);
  };
}
