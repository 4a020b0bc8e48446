/** The lines themselves, the latest first. */
import { useState } from 'preact/hooks';
import type { ShownLogLine } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { clock, moment } from '../../state/format.ts';
import { restOf } from '../../state/logs.ts';

interface Props {
  readonly page: Page;
  /** Oldest first. */
  readonly lines: readonly ShownLogLine[];
}

/** A browser draws so many at once without a pause. */
const AT_ONCE = 300;

export function Lines({ lines }: Props) {
  const [shown, setShown] = useState(AT_ONCE);
  const latest = lines.slice(-shown).toReversed();
  const several = new Set(lines.map(({ host }) => host)).size > 1;
  return (
    <>
      <ol class="loglines" data-list>
        {latest.map((line, index) => (
          <li key={`${line.at} ${line.host} ${index}`} class={line.level}>
            <time dateTime={new Date(line.at).toISOString()} title={moment(line.at, true)}>
              {clock(line.at)}
            </time>
            <span class="from dim" title={line.release}>
              {several ? `${line.host} ${line.source}` : line.source}
            </span>
            <span class="level">{line.isRequest ? '' : line.level}</span>
            <span class="text">
              {line.message}
              {line.isCut && <span class="dim"> … (the line is longer)</span>}{' '}
              <span class="dim">{restOf(line)}</span>
            </span>
          </li>
        ))}
      </ol>
      {shown < lines.length && (
        <p class="more">
          <button type="button" class="quiet" onClick={() => setShown(shown + AT_ONCE)}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}
