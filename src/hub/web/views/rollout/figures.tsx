/** What both versions of a rollout did, and what speaks against the new one. */
import type { RolloutMetric, ShownRollout, ShownSide } from '../../../api-types.ts';
import { LocalTable } from '../../parts/local-table.tsx';
import type { Column } from '../../parts/table.tsx';
import { count, figure } from '../../state/format.ts';
import { evidenceShare, metricValue, oddsText, sideName, unitsOf } from '../../state/rollout.ts';

interface Props {
  readonly rollout: ShownRollout;
}

interface SideRow extends ShownSide {
  readonly side: 'baseline' | 'candidate';
  readonly percent: number;
}

export function Sides({ rollout }: Props) {
  const { baseline, candidate, percent, by } = rollout;
  const units = unitsOf(by);
  const rows: readonly SideRow[] = [
    { ...baseline, side: 'baseline', percent: 100 - percent },
    { ...candidate, side: 'candidate', percent },
  ];
  return (
    <LocalTable
      label="Both versions"
      rows={rows}
      keyOf={({ side }) => side}
      columns={[
        {
          id: 'side',
          title: 'Version',
          word: true,
          cell: (row) => (
            <>
              <b>{sideName(row)}</b> <span class="dim">{row.side}</span>
              <div class="dim remark">{row.subject}</div>
            </>
          ),
        },
        { id: 'share', title: 'Share now', cell: (row) => `${row.percent} %` },
        ...(units === undefined
          ? []
          : [{ id: 'visitors', title: units, cell: ({ visitors }: SideRow) => count(visitors) }]),
        { id: 'requests', title: 'Requests', cell: ({ requests }) => count(requests) },
        {
          id: 'failed',
          title: 'Failed',
          cell: ({ failed, requests }) => (
            <>
              {count(failed)}
              {requests > 0 && <div class="dim remark">{figure(failed / requests, 'ratio')}</div>}
            </>
          ),
        },
      ]}
    />
  );
}

export function Evidence({ rollout }: Props) {
  const { metrics, alarm, baseline, candidate, next } = rollout;
  const isSame = baseline.ref === candidate.ref;
  return (
    <LocalTable
      label="Evidence by metric"
      rows={metrics}
      keyOf={({ name }) => name}
      bad={({ odds }) => odds >= alarm}
      columns={[
        { id: 'name', title: 'Metric', word: true, cell: ({ name }) => name },
        {
          id: 'baseline',
          title: isSame ? 'Before' : baseline.ref,
          cell: (metric) => metricValue(metric.baseline, metric.unit),
        },
        {
          id: 'candidate',
          title: isSame ? 'New' : candidate.ref,
          cell: (metric) => metricValue(metric.candidate, metric.unit),
        },
        {
          id: 'evidence',
          title: 'Evidence of harm',
          cell: (metric) => <Harm metric={metric} alarm={alarm} />,
        },
        ...(next === null ? [] : [CLEARED]),
      ]}
    />
  );
}

const CLEARED: Column<RolloutMetric> = {
  id: 'cleared',
  title: 'For the next step',
  word: true,
  minor: true,
  cell: clearedText,
};

function clearedText({ cleared, tolerated }: RolloutMetric): string {
  const margin = tolerated === null ? '' : `, ${figure(tolerated, 'ratio')} tolerated`;
  return `${cleared ? 'shown no worse' : 'not shown yet'}${margin}`;
}

interface HarmProps {
  readonly metric: RolloutMetric;
  readonly alarm: number;
}

function Harm({ metric: { odds, baseline, candidate }, alarm }: HarmProps) {
  // Nothing was measured of it: that is no evidence of no harm.
  if ((baseline === null || candidate === null) && odds <= 1) return <span class="dim">no data</span>;
  const share = evidenceShare(odds, alarm);
  const level = share >= 1 ? 'broken' : share >= 0.5 ? 'look' : 'well';
  return (
    <span class={`meter odds ${level}`}>
      <span class="figure">{oddsText(odds)}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="back" width="100" height="4" />
        <rect width={share * 100} height="4" />
      </svg>
    </span>
  );
}
