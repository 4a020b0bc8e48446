/** Text of strangers, made fit for a terminal and a page: no escapes, no hidden order, bounded. Pure. */

/** Characters of a message that are shown. */
const SHOWN_CHARACTERS = 8_000;

/**
 * Control characters (but tab and line feed), and those that change the order or the look of what follows:
 * marks and overrides of direction, and separators of lines.
 */
// biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
/** Colours and moves of the cursor (ECMA-48, CSI); titles and links (OSC). */
const SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: they are what is looked for.

/** Without colours and moves of the cursor; any other control character becomes visible: `\x07`. */
export function harmless(text: string): string {
  return text
    .replace(SEQUENCE, '')
    .replace(/\r+(?=\n|$)/g, '')
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`;
    });
}

/** The beginning of a text that is too long, never half a character. */
export function shorten(
  text: string,
  most = SHOWN_CHARACTERS,
): { readonly text: string; readonly isCut: boolean } {
  if (text.length <= most) return { text, isCut: false };
  const last = text.charCodeAt(most - 1);
  return { text: text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most), isCut: true };
}
