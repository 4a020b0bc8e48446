/** One line that says that a rollout is under way, and leads to it. */
import type { ShownRollout } from '../../api-types.ts';
import type { Page } from '../page.ts';
import { elsewhere } from '../state/place.ts';
import { sideName } from '../state/rollout.ts';
import { Go } from './go.tsx';

interface Props {
  readonly page: Page;
  readonly rollout: ShownRollout;
}

export function RolloutNote({ page: { place, go }, rollout }: Props) {
  const { id, app, candidate, percent, phase } = rollout;
  return (
    <p class="offer">
      <b>
        {app}: {sideName(candidate)}
      </b>{' '}
      is let in, {percent} % of the traffic now{phase === 'running' ? '' : ` (${phase})`}.{' '}
      <Go to={elsewhere(place, 'rollout', id)} go={go}>
        See the rollout
      </Go>
    </p>
  );
}
