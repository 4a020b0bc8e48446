/** How far a rollout is. */
import type { ShownRollout } from '../../../api-types.ts';
import { stepStates } from '../../state/rollout.ts';

export function Steps({ rollout }: { readonly rollout: ShownRollout }) {
  return (
    <ol class="steps" aria-label="Steps">
      {stepStates(rollout).map(([step, state]) => (
        <li key={step} class={state} aria-current={state === 'here' ? 'step' : undefined}>
          {step} %
        </li>
      ))}
    </ol>
  );
}
