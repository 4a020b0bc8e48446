/** What keys do. Pure. */
import { RANGE_NAMES } from './place.ts';

export type Action =
  | { readonly kind: 'search' | 'next' | 'previous' | 'help' | 'theme' | 'live' | 'escape' }
  | { readonly kind: 'go'; readonly view: 'overview' | 'alerts' | 'events' | 'canaries' | 'logs' }
  | { readonly kind: 'range'; readonly range: string };

export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  /** Whether a field for text has the focus. */
  readonly typing: boolean;
  /** Whether the focus is on something that uses the arrow keys. */
  readonly inList: boolean;
}

const PLAIN: Readonly<Record<string, Action>> = {
  '/': { kind: 'search' },
  j: { kind: 'next' },
  k: { kind: 'previous' },
  '?': { kind: 'help' },
  t: { kind: 'theme' },
  l: { kind: 'live' },
  o: { kind: 'go', view: 'overview' },
  a: { kind: 'go', view: 'alerts' },
  e: { kind: 'go', view: 'events' },
  c: { kind: 'go', view: 'canaries' },
  g: { kind: 'go', view: 'logs' },
};

export function actionOf(press: Press): Action | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (press.key === 'Escape') return { kind: 'escape' };
  // From the search field, arrows lead into the list.
  if (press.key === 'ArrowDown' && press.inList) return { kind: 'next' };
  if (press.key === 'ArrowUp' && press.inList) return { kind: 'previous' };
  if (press.typing) return undefined;
  const range = RANGE_NAMES[Number(press.key) - 1];
  if (range !== undefined) return { kind: 'range', range };
  return Object.hasOwn(PLAIN, press.key) ? PLAIN[press.key] : undefined;
}

/** For the page of help. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['/', 'search hosts and applications'],
  ['j k ↓ ↑', 'next, previous in the list'],
  ['Enter', 'open'],
  [`1 … ${RANGE_NAMES.length}`, `range: ${RANGE_NAMES[0]} … ${RANGE_NAMES.at(-1)}`],
  ['l', 'back to now'],
  ['o', 'overview'],
  ['a', 'alerts'],
  ['e', 'events'],
  ['c', 'canaries'],
  ['g', 'logs'],
  ['t', 'light, dark, or as the system says'],
  ['Esc', 'close, clear the search'],
  ['?', 'this list'],
];
