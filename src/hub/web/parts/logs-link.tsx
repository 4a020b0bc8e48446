/** To the logs around a moment. */
import type { Page } from '../page.ts';
import { logsAround } from '../state/place.ts';
import { Go } from './go.tsx';

interface Props {
  readonly page: Pick<Page, 'place' | 'go' | 'overview'>;
  /** Application or host; undefined: there is none to look at. */
  readonly name: string | undefined;
  readonly at: number;
}

export function LogsLink({ page: { place, go, overview }, name, at }: Props) {
  if (name === undefined) return null;
  return (
    <>
      {' '}
      <Go to={logsAround(place, name, at, overview.at)} go={go} class="logs-link">
        logs
      </Go>
    </>
  );
}
