/** How something is: a shape, a colour and a word, never colour alone. */
import type { Health } from '../../api-types.ts';
import { HEALTH_WORDS } from '../state/health.ts';

/** Circle, triangle, square with a cross: told apart without colour. */
export function Shape({ health }: { readonly health: Health }) {
  return (
    <svg class={`shape ${health}`} viewBox="0 0 12 12" aria-hidden="true">
      {health === 'well' && <circle cx="6" cy="6" r="3.6" />}
      {health === 'look' && <path d="M6 1.2 11.4 10.8H.6Z" />}
      {health === 'broken' && <path d="M1 1h10v10H1Z" />}
      {health === 'broken' && <path class="in" d="M4 4l4 4M8 4l-4 4" />}
    </svg>
  );
}

export function Status({ health }: { readonly health: Health }) {
  return (
    <span class={`status ${health}`}>
      <Shape health={health} /> {HEALTH_WORDS[health]}
    </span>
  );
}
