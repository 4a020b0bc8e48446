/** A link within the page: a real address, without reloading. */
import type { ComponentChildren } from 'preact';
import type { Go as GoTo } from '../hooks/use-place.ts';
import { type Place, placeQuery } from '../state/place.ts';

interface Props {
  readonly to: Place;
  readonly go: GoTo;
  readonly class?: string;
  readonly current?: boolean;
  /** An item that the keys j and k step through. */
  readonly item?: boolean;
  readonly children: ComponentChildren;
}

export function Go({ to, go, class: name, current, item, children }: Props) {
  return (
    <a
      href={placeQuery(to)}
      class={name}
      aria-current={current ? 'page' : undefined}
      data-item={item ? '' : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
