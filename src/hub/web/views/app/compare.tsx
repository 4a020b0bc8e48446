/** Two versions side by side: which is worse, and by how much. */
import type { RouteFigures, Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { Panel } from '../../parts/panel.tsx';
import {
  changeText,
  compare,
  type Metric,
  summary,
  type VersionDifference,
  WORDS,
} from '../../state/compare.ts';
import { count, figure } from '../../state/format.ts';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

const METRICS: readonly (readonly [metric: Metric, unit: string])[] = [
  ['errors', 'ratio'],
  ['rejected', 'ratio'],
  ['p50', 'ms'],
  ['p90', 'ms'],
  ['p99', 'ms'],
];

const SIGNS: Readonly<Record<VersionDifference, string>> = {
  worse: '▲ worse',
  better: '▼ better',
  alike: 'alike',
  few: 'too few',
};

export function Compare({ page, routes }: Props) {
  if (page.place.baseline === '') return <Offer page={page} routes={routes} />;
  const { all, rows } = routes;
  const { baseline, candidate } = all;
  const worse = rows.filter((row) => isWorse(row.baseline, row.candidate)).length;
  return (
    <Panel title="Comparison" note={<Choices page={page} routes={routes} />}>
      {baseline !== undefined && candidate !== undefined && (
        <>
          <p class="sentence" role="status">
            {summary(baseline, candidate, worse)}
          </p>
          <Figures baseline={baseline} candidate={candidate} />
        </>
      )}
    </Panel>
  );
}

/** To compare the last two versions, where there are two. */
function Offer({ page: { place, go }, routes: { releases } }: Props) {
  const [newest, older] = releases;
  if (newest === undefined || older === undefined || newest.release === '' || older.release === '')
    return null;
  return (
    <p class="offer">
      {releases.length} versions answered in this range.{' '}
      <button
        type="button"
        class="link"
        onClick={() => go({ ...place, baseline: older.release, candidate: newest.release })}
      >
        Compare the last two
      </button>
    </p>
  );
}

/** Which two are compared. */
function Choices({ page: { place, go }, routes: { releases } }: Props) {
  const { baseline, candidate } = place;
  const choice = (side: 'baseline' | 'candidate', label: string) => (
    <label>
      {label}{' '}
      <select value={place[side]} onChange={(event) => go({ ...place, [side]: event.currentTarget.value })}>
        {[...new Set([...releases.map(({ release }) => release), place[side]])].map((release) => (
          <option key={release} value={release}>
            {release}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <span class="choices">
      {choice('baseline', 'Baseline')} {choice('candidate', 'Candidate')}{' '}
      <button
        type="button"
        class="quiet"
        onClick={() => go({ ...place, baseline: candidate, candidate: baseline })}
      >
        Swap
      </button>{' '}
      <button type="button" class="quiet" onClick={() => go({ ...place, baseline: '', candidate: '' })}>
        Close
      </button>
    </span>
  );
}

interface Pair {
  readonly baseline: RouteFigures;
  readonly candidate: RouteFigures;
}

function Figures({ baseline: one, candidate: two }: Pair) {
  return (
    <div class="scroll">
      <table aria-label="Comparison of two versions">
        <thead>
          <tr>
            <th scope="col" class="word">
              Metric
            </th>
            <th scope="col">Baseline</th>
            <th scope="col">Candidate</th>
            <th scope="col">Change</th>
            <th scope="col" class="word minor">
              Mark
            </th>
          </tr>
        </thead>
        <tbody>
          {METRICS.map(([metric, unit]) => {
            const compared = compare(metric, one, two);
            return (
              <tr key={metric}>
                <td class="word">{WORDS[metric]}</td>
                <td>{figure(one[metric], unit)}</td>
                <td>{figure(two[metric], unit)}</td>
                <td class={compared.difference}>{changeText(metric, compared)}</td>
                <td class={`word minor ${compared.difference}`}>{SIGNS[compared.difference]}</td>
              </tr>
            );
          })}
          <Plain
            name="mean size"
            baseline={figure(one.size, 'bytes')}
            candidate={figure(two.size, 'bytes')}
            change={sizeChange(one.size, two.size)}
          />
          <Plain name="requests" baseline={count(one.requests)} candidate={count(two.requests)} />
        </tbody>
      </table>
    </div>
  );
}

interface PlainProps {
  readonly name: string;
  readonly baseline: string;
  readonly candidate: string;
  readonly change?: string;
}

/** A row that is neither better nor worse. */
function Plain({ name, baseline, candidate, change = '' }: PlainProps) {
  return (
    <tr>
      <td class="word">{name}</td>
      <td>{baseline}</td>
      <td>{candidate}</td>
      <td>{change}</td>
      <td class="word minor" />
    </tr>
  );
}

/** Whether anything of a route is worse. */
export function isWorse(baseline: RouteFigures | undefined, candidate: RouteFigures | undefined): boolean {
  if (baseline === undefined || candidate === undefined) return false;
  return METRICS.some(([metric]) => compare(metric, baseline, candidate).difference === 'worse');
}

function sizeChange(one: number | null, two: number | null): string {
  if (one === null || two === null || one === 0) return '';
  const change = (two / one - 1) * 100;
  return `${change > 0 ? '+' : '−'}${Math.abs(change).toFixed(Math.abs(change) >= 10 ? 0 : 1)} %`;
}
