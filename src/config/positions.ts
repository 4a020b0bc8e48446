/** Where in a YAML file something stands: pure. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';

export type Path = readonly (string | number)[];

/**
 * Offset of the deepest part of `path` that the document has: the key for an entry of a mapping, the item for
 * one of a list.
 */
export function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    const found = child(document, node, step);
    if (found === undefined) break;
    offset = found.offset ?? offset;
    node = found.node;
  }
  return offset;
}

interface Found {
  readonly node: unknown;
  readonly offset: number | undefined;
}

function child(document: Document, parent: unknown, step: string | number): Found | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? undefined : { node: item, offset: (item as Node).range?.[0] };
  }
  if (!isMap(node)) return undefined;
  for (const pair of node.items) {
    if (keyText(pair) === String(step)) return { node: pair.value, offset: (pair.key as Node).range?.[0] };
  }
  for (const pair of node.items) {
    // What `<<: *base` brings stands where the base is written.
    if (keyText(pair) !== '<<') continue;
    const merged = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const source of merged) {
      const found = child(document, source, step);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** `apps.preview.canary.requests[0].path` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** What stands at a path of a plain value. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }, root);
}
