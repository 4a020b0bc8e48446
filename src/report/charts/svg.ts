/** SVG as text: elements with escaped attributes, and the few paths that charts need. */
import { escapeHtml } from '../../escape.ts';

export type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

/** A point in pixels. */
export type Point = readonly [x: number, y: number];

/** One element. Children are markup already; text goes through `text`. */
export function tag(name: string, attributes: SvgAttributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${escapeHtml(typeof value === 'number' ? pixel(value) : String(value))}"`,
    )
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A text element; `content` may be anything. */
export function text(x: number, y: number, content: string, attributes: SvgAttributes = {}): string {
  return tag('text', { x, y, ...attributes }, escapeHtml(content));
}

/** Shown when the pointer rests on the surrounding element. */
export function tooltip(content: string): string {
  return tag('title', {}, escapeHtml(content));
}

/** A line, which nulls interrupt. */
export function linePath(points: readonly (Point | null)[]): string {
  let pen = 'M';
  const parts: string[] = [];
  for (const point of points) {
    if (point === null) {
      pen = 'M';
      continue;
    }
    parts.push(`${pen}${pixel(point[0])} ${pixel(point[1])}`);
    pen = 'L';
  }
  return parts.join('');
}

/** A closed area between steps and the line `floor`. `edges` has one entry more than `tops`. */
export function stairPath(edges: readonly number[], tops: readonly number[], floor: number): string {
  const parts = [`M${pixel(edges[0] ?? 0)} ${pixel(floor)}`];
  tops.forEach((top, index) => {
    parts.push(`V${pixel(top)}H${pixel(edges[index + 1] ?? 0)}`);
  });
  return `${parts.join('')}V${pixel(floor)}Z`;
}

function pixel(value: number): string {
  return String(Math.round(value * 10) / 10);
}
