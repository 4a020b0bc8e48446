/** What applications and hosts have in common: name, state, the last hour. */
import type { Health } from '../../../api-types.ts';
import { Spark } from '../../charts/spark.tsx';
import type { Page } from '../../page.ts';
import { Go } from '../../parts/go.tsx';
import { Shape, Status } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { elsewhere } from '../../state/place.ts';

interface Subject {
  readonly name: string;
  readonly health: Health;
  readonly spark: readonly (number | null)[];
}

/**
 * @param least least height of the axis of the small line
 * @param remarks what is unusual about it
 */
export function subjectColumns<T extends Subject>(
  { place, go }: Page,
  kind: 'host' | 'app',
  least: number,
  remarks: (row: T) => readonly string[] = () => [],
): readonly Column<T>[] {
  return [
    {
      id: 'name',
      title: kind === 'host' ? 'Host' : 'Application',
      word: true,
      by: ({ name }) => name,
      cell: ({ name, health }) => (
        <span class="named">
          <Shape health={health} />
          <Go to={elsewhere(place, kind, name)} go={go} class="strong" item>
            {name}
          </Go>
        </span>
      ),
    },
    {
      id: 'health',
      title: 'State',
      word: true,
      minor: true,
      by: ({ health }) => health,
      cell: (row) => (
        <>
          <Status health={row.health} />
          {remarks(row).map((remark) => (
            <div key={remark} class="dim remark">
              {remark}
            </div>
          ))}
        </>
      ),
    },
    {
      id: 'spark',
      title: 'Last hour',
      minor: true,
      cell: ({ spark, health }) => (
        <span class={health}>
          <Spark values={spark} least={least} />
        </span>
      ),
    },
  ];
}
