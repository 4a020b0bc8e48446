/** A titled part of a page. */
import type { ComponentChildren } from 'preact';

interface Props {
  readonly title: string;
  readonly id?: string;
  /** Beside the title. */
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, id, note, children }: Props) {
  return (
    <section class="panel" id={id} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <div class="note">{note}</div>}
      </header>
      {children}
    </section>
  );
}
