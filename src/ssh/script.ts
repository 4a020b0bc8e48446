/** Bash programs in `.sh` files, imported as text, with values handed over in a quoted header. Pure. */
import { quote } from './quote.ts';

/** One word, or the words of a bash array. */
export type Value = string | readonly string[];

/**
 * The program after a header that sets its variables: `name='…'` for a word, `name=('…' '…')` for a list.
 * Each value is quoted, so the program itself holds no value and ShellCheck can read it as it stands. Throws
 * where a name is not a bash variable, or a value has a null byte.
 */
export function withValues(program: string, values: Readonly<Record<string, Value>>): string {
  const header = Object.entries(values).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`${name} is not a name for a bash variable`);
    return `${name}=${typeof value === 'string' ? quote(value) : `(${value.map(quote).join(' ')})`}\n`;
  });
  return `${header.join('')}${program}`;
}
