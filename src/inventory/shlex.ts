/**
 * Words of a line as Python's `shlex.split(line, comments=True)` finds them: that is how Ansible reads host
 * lines and ssh arguments.
 */

/**
 * Splits a line into words: quotes, backslashes, and `#`, which ends the line even in the middle of a word.
 * @throws SyntaxError where a quote is not closed or the line ends in a backslash.
 */
export function splitWords(line: string, options: { readonly comments: boolean }): readonly string[] {
  const words: string[] = [];
  // undefined: between words. An empty word (`""`) is a word.
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '#' && options.comments) {
      break;
    } else if (char === '\\') {
      i += 1;
      if (i >= line.length) throw new SyntaxError('a backslash at the end of the line');
      word = (word ?? '') + line.charAt(i);
    } else if (char === "'" || char === '"') {
      const quoted = readQuoted(line, i);
      word = (word ?? '') + quoted.text;
      i = quoted.end;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * The text between the quote at `start` and its partner at `end`. Inside double quotes a backslash escapes
 * only itself and the quote.
 */
function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line.charAt(start);
  let text = '';
  for (let i = start + 1; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === quote) return { text, end: i };
    const next = line.charAt(i + 1);
    if (char === '\\' && quote === '"' && (next === '"' || next === '\\')) {
      text += next;
      i += 1;
    } else {
      text += char;
    }
  }
  throw new SyntaxError(`no closing ${quote}`);
}

/** One word that `splitWords` reads back unchanged. */
export function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./~-]+$/.test(word)) return word;
  return word.includes("'") ? `"${word.replace(/["\\]/g, '\\$&')}"` : `'${word}'`;
}
