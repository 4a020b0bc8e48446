/** A rollout at a glance: steps, why, time left, both versions, evidence. */
import type { ShownRollout } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { Command } from '../../parts/command.tsx';
import { silence, timeLeft, whyText } from '../../state/rollout.ts';
import { Evidence, Sides } from './figures.tsx';
import { Steps } from './steps.tsx';

interface Props {
  readonly page: Page;
  readonly rollout: ShownRollout;
}

export function RolloutStateView({ page, rollout }: Props) {
  const { host, alarm } = rollout;
  const why = whyText(rollout);
  const time = timeLeft(rollout);
  const silent = silence(rollout, page.overview.at);
  return (
    <div class="rollout">
      {silent !== undefined && (
        <p class="notice">
          {host} was not heard for {silent}. What it decides there goes on without the monitor.
        </p>
      )}
      <Steps rollout={rollout} />
      {why !== '' && <p class="sentence">{why}.</p>}
      {time !== undefined && (
        <p class="dim">
          {time.left} left, {time.otherwise}. It goes back on its own when the evidence of harm is worth{' '}
          {Math.round(alarm)} to 1.
        </p>
      )}
      <Sides rollout={rollout} />
      <Evidence rollout={rollout} />
      <div class="commands">
        {commandsOf(rollout).map((text) => (
          <Command key={text} text={text} />
        ))}
      </div>
    </div>
  );
}

function commandsOf({ phase, app }: ShownRollout): readonly string[] {
  switch (phase) {
    case 'running':
      return [`pipeline rollout watch ${app}`];
    case 'paused':
      return [`pipeline rollout resume ${app}`];
    case 'held':
      return [`pipeline rollout promote ${app}`, `pipeline rollout abort ${app}`];
    case 'promoted':
      return [`pipeline rollback ${app}`];
    case 'taken back':
      return [`pipeline rollout status ${app}`];
  }
}
