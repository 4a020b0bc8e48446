/** Pieces of nginx's configuration. Pure text. */
import { createHash } from 'node:crypto';

/** The app's name for nginx's variables (letters, digits and `_`). Different names stay different. */
export function identifier(app: string): string {
  const plain = app.replaceAll(/[^A-Za-z0-9]/g, '_');
  return plain === app ? plain : `${plain}_${createHash('sha256').update(app).digest('hex').slice(0, 4)}`;
}

export function block(head: string, lines: readonly string[]): string {
  const body = lines.flatMap((line) => line.split('\n')).map((line) => (line === '' ? '' : `    ${line}`));
  return `${head} {\n${body.join('\n')}\n}`;
}

/** One word of nginx's configuration. Variables in it are expanded. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_./$@:%+=,*-]+$/.test(text)
    ? text
    : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
