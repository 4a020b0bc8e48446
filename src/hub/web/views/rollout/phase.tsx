/** How a rollout stands: a shape and a word. */
import type { ShownRollout } from '../../../api-types.ts';
import { Shape } from '../../parts/status.tsx';
import { PHASE_HEALTH } from '../../state/rollout.ts';

export function Phase({ phase }: Pick<ShownRollout, 'phase'>) {
  return (
    <span class={`status ${PHASE_HEALTH[phase]}`}>
      <Shape health={PHASE_HEALTH[phase]} /> {phase}
    </span>
  );
}
