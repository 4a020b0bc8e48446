/** What a run measured, metric by metric. */
import type { CanaryMetric, Health } from '../../../api-types.ts';
import { Empty } from '../../parts/empty.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Shape } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { effectText, intervalText, metricFigure } from '../../state/canary.ts';
import { count } from '../../state/format.ts';

const VERDICTS: Readonly<Record<CanaryMetric['verdict'], Health>> = {
  pass: 'well',
  high: 'broken',
  low: 'broken',
  'no data': 'look',
  inconclusive: 'look',
};
const TONES: Readonly<Record<NonNullable<CanaryMetric['tone']>, Health>> = {
  pass: 'well',
  harm: 'broken',
  open: 'look',
  none: 'look',
};

/** An informative metric is never shown as broken. */
function healthOf({ tone, verdict }: CanaryMetric): Health {
  return tone === undefined ? VERDICTS[verdict] : TONES[tone];
}

const COLUMNS: readonly Column<CanaryMetric>[] = [
  {
    id: 'name',
    title: 'Metric',
    word: true,
    by: ({ name }) => name,
    cell: (metric) => (
      <span class="named">
        <Shape health={healthOf(metric)} />
        <span>
          {metric.name} {metric.route !== undefined && <span class="dim">{metric.route}</span>}
          {metric.critical && <span class="tag">critical</span>}
          {metric.reason !== '' && <div class="dim remark">{metric.reason}</div>}
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
    cell: (metric) => (
      <>
        <span class={`status ${healthOf(metric)}`}>
          <Shape health={healthOf(metric)} /> {metric.verdict}
        </span>
        {metric.harm !== undefined && <div class="dim remark">evidence of harm: {metric.harm}</div>}
      </>
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
          bad={(metric) => healthOf(metric) === 'broken'}
          columns={COLUMNS}
        />
      )}
    </Panel>
  );
}
