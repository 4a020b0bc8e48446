// The little Markdown that surveys need: headings, lists, emphasis, paragraphs.
const escapeHtml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const inline = (text) =>
  escapeHtml(text)
    .replaceAll(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/\*(.+?)\*/g, '<em>$1</em>');

export async function render(markdown) {
  const lines = markdown.split('\n');
  const html = [];
  let list = false;
  for (const line of lines) {
    const item = /^\s*[*-]\s+(.*)$/.exec(line);
    if (list && item === null) html.push('</ul>');
    if (item !== null) {
      if (!list) html.push('<ul>');
      html.push(`<li>${inline(item[1])}</li>`);
    } else {
      const heading = /^(#{1,6})\s+(.*)$/.exec(line);
      if (heading !== null) html.push(`<h${heading[1].length}>${inline(heading[2])}</h${heading[1].length}>`);
      else if (line.trim() !== '') html.push(`<p>${inline(line.trim())}</p>`);
    }
    list = item !== null;
  }
  if (list) html.push('</ul>');
  return html.join('\n');
}
