/**
 * Makes text from outside (routes, log lines, bodies, commit messages) harmless where it is shown.
 */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Control characters, and marks that reverse text or hide in it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const EMBEDDED = new RegExp(`<|${UNPRINTABLE.source}`, 'g');

/** For HTML and SVG, as text and within quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(UNPRINTABLE, '�').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** For a terminal: one line, with nothing that moves the cursor, colours or rings. */
export function escapeTerminal(text: string): string {
  return text.replace(/[\t\n\r]+/g, ' ').replace(UNPRINTABLE, '�');
}

/**
 * For Markdown outside of code, in a table or not: none of it becomes markup, a link, a mention or HTML.
 */
export function escapeMarkdown(text: string): string {
  return escapeTerminal(text)
    .replace(/[\\`*_{}[\]()#+\-!|~]/g, '\\$&')
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? '')
    .replace(/@/g, '&#64;')
    .replace(/:\/\//g, '&#58;//');
}

/** Lines as a fenced Markdown block whose fence is longer than any within. */
export function fenced(lines: readonly string[]): string {
  const safe = lines.map(escapeTerminal);
  const longest = Math.max(2, ...safe.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${safe.join('\n')}\n${fence}`;
}

/** JSON for a `<script type="application/json">`: no `<` ends it, and nothing unprintable hides in it. */
export function embedJson(value: unknown): string {
  return JSON.stringify(value).replace(EMBEDDED, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
