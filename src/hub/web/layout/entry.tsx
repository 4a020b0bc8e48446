/** One host or application in the left column. */
import type { Health } from '../../api-types.ts';
import { Spark } from '../charts/spark.tsx';
import type { Page } from '../page.ts';
import { Go } from '../parts/go.tsx';
import { Shape } from '../parts/status.tsx';
import { HEALTH_WORDS } from '../state/health.ts';
import { elsewhere } from '../state/place.ts';

interface Props {
  readonly page: Page;
  readonly kind: 'host' | 'app';
  readonly name: string;
  readonly health: Health;
  readonly figure: string;
  readonly spark: readonly (number | null)[];
  readonly least: number;
}

export function Entry({ page, kind, name, health, figure, spark, least }: Props) {
  const { place, go } = page;
  const here = place.view === kind && place.name === name;
  return (
    <li>
      <Go to={elsewhere(place, kind, name)} go={go} class={`entry ${health}`} current={here} item>
        <Shape health={health} />
        <span class="name" title={name}>
          {name}
        </span>
        <span class="sr">, {HEALTH_WORDS[health]}, </span>
        <Spark values={spark} least={least} />
        <span class="value">{figure}</span>
      </Go>
    </li>
  );
}
