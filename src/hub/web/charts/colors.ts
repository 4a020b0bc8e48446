/**
 * Colours of lines: what means trouble has its own, versions and the rest take the next of a row that
 * colour-blind people can tell apart.
 */
const MEANING: Readonly<Record<string, string>> = {
  '5xx': '--broken',
  '4xx': '--line-1',
  iowait: '--line-3',
  steal: '--line-4',
  total: '--dim',
  cores: '--dim',
};
const ROW = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];

/** Name of the colour of a line, by its name and its place in the chart. */
export function colorName(name: string, index: number): string {
  return Object.hasOwn(MEANING, name) ? (MEANING[name] ?? '') : (ROW[index % ROW.length] ?? '');
}

/** A colour that a canvas accepts, in the current theme. */
export function resolve(name: string, alpha = 1): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return alpha === 1 ? color : color.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}
