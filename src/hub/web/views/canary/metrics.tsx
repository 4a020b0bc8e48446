/** What a run measured, metric by metric. */
import type { CanaryMetric, Health } from '../../../api-types.ts';
import { Empty } from '../../parts/empty.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Shape } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { effectText, intervalText, metricFigure } from '../../state/canary.ts';
import { count } from '../../state/format.ts';

const HEALTH: Readonly<Record<CanaryMetric['verdict'], Health>> = {
  pass: 'well',
  high: 'broken',
  low: 'broken',
  'no data': 'look',
  inconclusive: 'look',
};

const COLUMNS: readonly Column<CanaryMetric>[] = [
  {
    id: 'name',
    title: 'Metric',
    word: true,
    by: ({ name }) => name,
    cell: ({ name, route, critical, reason, verdict }) => (
      <span class="named">
        <Shape health={HEALTH[verdict]} />
        <span>
          {name} {route !== undefined && <span class="dim">{route}</span>}
          {critical && <span class="tag">critical</span>}
          {reason !== '' && <div class="dim remark">{reason}</div>}
        </span>
      </span>
    ),
  },
  {
    id: 'verdict',
    title: 'Verdict',
    word: true,
    minor: true,
    by: ({ verdict }) => verdict,
    cell: ({ verdict }) => (
      <span class={`status ${HEALTH[verdict]}`}>
        <Shape health={HEALTH[verdict]} /> {verdict}
      </span>
    ),
  },
  {
    id: 'baseline',
    title: 'Baseline',
    by: ({ baseline }) => baseline,
    cell: ({ baseline, unit }) => metricFigure(baseline, unit),
  },
  {
    id: 'candidate',
    title: 'Candidate',
    by: ({ candidate }) => candidate,
    cell: ({ candidate, unit }) => metricFigure(candidate, unit),
  },
  {
    id: 'effect',
    title: 'Effect',
    minor: true,
    cell: (metric) => (
      <>
        {effectText(metric)}
        <div class="dim remark">{intervalText(metric)}</div>
      </>
    ),
  },
  {
    id: 'samples',
    title: 'Samples',
    minor: true,
    by: ({ samples }) => samples.baseline + samples.candidate,
    cell: ({ samples }) => `${count(samples.baseline)} · ${count(samples.candidate)}`,
  },
];

export function CanaryMetrics({ metrics }: { readonly metrics: readonly CanaryMetric[] }) {
  return (
    <Panel title="Metrics">
      {metrics.length === 0 ? (
        <Empty title="Nothing is measured yet." />
      ) : (
        <LocalTable
          label="Metrics of the run"
          rows={metrics}
          keyOf={({ name, route = '' }) => `${name} ${route}`}
          bad={({ verdict }) => HEALTH[verdict] === 'broken'}
          columns={COLUMNS}
        />
      )}
    </Panel>
  );
}
