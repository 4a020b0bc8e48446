/** Keys of the whole page. What a key means is decided in `state/keyboard.ts`. */
import { useEffect, useRef } from 'preact/hooks';
import { type Action, actionOf } from '../state/keyboard.ts';

const TEXT = 'input, select, textarea';

export function useKeyboard(act: (action: Action) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      // One that was closed may keep the focus for a frame.
      if (target.closest('dialog[open]') !== null) return;
      const action = actionOf({
        key: event.key,
        ctrlKey: event.ctrlKey,
        metaKey: event.metaKey,
        altKey: event.altKey,
        typing: target.matches(TEXT),
        inList: target.matches('[data-item], input[type=search]'),
      });
      if (action === undefined) return;
      // Escape is the browser's too: it closes what is open.
      if (action.kind !== 'escape') event.preventDefault();
      latest.current(action);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}

/** Moves the focus within the list that has it, else within the first one that is seen. */
export function moveFocus(by: 1 | -1): void {
  const active = document.activeElement;
  const list = active?.closest('[data-list]') ?? visibleList();
  if (list === null || list === undefined) return;
  const items = [...list.querySelectorAll<HTMLElement>('[data-item]')];
  const here = items.indexOf(active as HTMLElement);
  const current = items.findIndex((item) => item.getAttribute('aria-current') === 'page');
  const from = here >= 0 ? here : current;
  const next = items[Math.min(items.length - 1, Math.max(0, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

function visibleList(): Element | undefined {
  return [...document.querySelectorAll('[data-list]')].find((list) => list.getClientRects().length > 0);
}
