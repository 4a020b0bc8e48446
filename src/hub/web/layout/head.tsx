/** The head of a view: title, state, and the range shown. */
import type { ComponentChildren } from 'preact';
import type { Page } from '../page.ts';
import { Ranges } from './ranges.tsx';

interface Props {
  readonly page: Page;
  readonly title: string;
  readonly status?: ComponentChildren;
  readonly line?: ComponentChildren;
  /** Whether the view has a range. */
  readonly ranges?: boolean;
}

export function Head({ page, title, status, line, ranges = false }: Props) {
  return (
    <header class="head">
      <div>
        <h1>
          {title} {status}
        </h1>
        {line !== undefined && <p class="dim">{line}</p>}
      </div>
      {ranges && <Ranges page={page} />}
    </header>
  );
}
