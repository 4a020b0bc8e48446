/** How a run stands: a shape and a word, and how far it is. */
import type { CanaryRun, Health } from '../../../api-types.ts';
import { Shape } from '../../parts/status.tsx';

const HEALTH: Readonly<Record<CanaryRun['state'], Health>> = {
  running: 'well',
  passed: 'well',
  failed: 'broken',
  inconclusive: 'look',
  interrupted: 'look',
  lost: 'look',
};

export function RunState({ run }: { readonly run: CanaryRun }) {
  const { state, seconds, atMostSeconds } = run;
  if (state === 'running')
    return (
      <span class="nowrap">
        running{' '}
        <progress
          max={atMostSeconds}
          value={Math.min(seconds, atMostSeconds)}
          aria-label="How far the run is"
        />
      </span>
    );
  return (
    <span class={`status ${HEALTH[state]}`}>
      <Shape health={HEALTH[state]} /> {state}
    </span>
  );
}
