/** Title and lines of a chart, each with its value at the cursor, or now. A click hides a line. */
import type { HubEvent, Panel } from '../../api-types.ts';
import { eventName } from '../state/event-name.ts';
import { figure, moment } from '../state/format.ts';
import { latest } from '../state/series.ts';
import { colorName } from './colors.ts';

interface Props {
  readonly panel: Panel;
  readonly times: readonly number[];
  readonly cursor: { readonly index: number; readonly event: HubEvent | undefined } | undefined;
  readonly hidden: ReadonlySet<string>;
  readonly toggle: (name: string) => void;
}

export function Legend({ panel, times, cursor, hidden, toggle }: Props) {
  const at = cursor === undefined ? undefined : times[cursor.index];
  return (
    <figcaption class="legend">
      <h3>{panel.title}</h3>
      <span class="at">
        {cursor?.event !== undefined && (
          <span class="event">
            {eventName(cursor.event)} {cursor.event.text}
          </span>
        )}
        {at === undefined ? '' : moment(at * 1000, true)}
      </span>
      <ul>
        {panel.series.map(({ name, values }, index) => {
          const value = cursor === undefined ? latest(values) : values[cursor.index];
          return (
            <li key={name}>
              <button
                type="button"
                aria-pressed={!hidden.has(name)}
                onClick={() => toggle(name)}
                title={hidden.has(name) ? 'Show this line' : 'Hide this line'}
              >
                <i class={`swatch ${colorName(name, index).slice(2)}`} />
                <span class="name">{name}</span> <b>{figure(value, panel.unit)}</b>
              </button>
            </li>
          );
        })}
      </ul>
    </figcaption>
  );
}
