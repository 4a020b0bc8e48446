/** Routes of an application; with two versions, the candidate's figures stand below the baseline's. */
import type { RouteFigures, RouteRow, Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { Panel } from '../../parts/panel.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { changeText, compare, type Metric } from '../../state/compare.ts';
import { figure, plural } from '../../state/format.ts';
import { matches } from '../../state/sort.ts';
import { isWorse } from './compare.tsx';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

/** Share of errors from which a figure is highlighted when nothing is compared. */
const BAD_SHARE = 0.01;

type Figure = Exclude<keyof RouteFigures, 'requests'>;
const FIGURES: readonly (readonly [id: Figure, title: string, unit: string, minor: boolean])[] = [
  ['rate', 'Rate', '1/s', false],
  ['errors', 'Errors', 'ratio', false],
  ['rejected', '4xx', 'ratio', true],
  ['p50', 'p50', 'ms', true],
  ['p90', 'p90', 'ms', false],
  ['p99', 'p99', 'ms', true],
  ['size', 'Size', 'bytes', true],
];

export function RouteTable({ page, routes }: Props) {
  const { place, go } = page;
  const compared = place.baseline !== '';
  const rows = routes.rows.filter(({ method, route }) => matches(place.filter, method, route));
  return (
    <Panel
      title="Routes"
      id="routes"
      note={
        <input
          type="search"
          placeholder="Filter routes"
          aria-label="Filter routes"
          value={place.filter}
          onInput={(event) => go({ ...place, filter: event.currentTarget.value }, 'replace')}
        />
      }
    >
      {rows.length === 0 ? (
        <Empty title={place.filter === '' ? 'No requests in this range.' : 'No route matches.'} />
      ) : (
        <Table
          label={`Routes, ${plural(rows.length, 'row')}`}
          columns={[routeColumn(page), ...FIGURES.map((one) => figureColumn(one, compared))]}
          rows={rows}
          keyOf={({ method, route }) => `${method} ${route}`}
          bad={({ baseline, candidate }) => compared && isWorse(baseline, candidate)}
          sort={place.sort}
          onSort={(sort) => go({ ...place, sort })}
        />
      )}
      {compared && <p class="dim hint">Above the baseline, below the candidate. Sorted by the candidate.</p>}
    </Panel>
  );
}

function routeColumn({ place, go }: Page): Column<RouteRow> {
  return {
    id: 'route',
    title: 'Route',
    word: true,
    by: ({ route }) => route,
    cell: ({ method, route }) => (
      <button
        type="button"
        class="route"
        title="Charts of this route alone"
        onClick={() => {
          go({ ...place, route: `${method} ${route}` });
          document.getElementById('charts')?.scrollIntoView();
        }}
      >
        <b>{method}</b> {route}
      </button>
    ),
  };
}

function figureColumn(
  [id, title, unit, minor]: (typeof FIGURES)[number],
  compared: boolean,
): Column<RouteRow> {
  return {
    id,
    title,
    minor,
    by: ({ all, candidate }) => (compared ? candidate : all)?.[id],
    cell: ({ all, baseline, candidate }) =>
      compared ? (
        <Pair id={id} unit={unit} baseline={baseline} candidate={candidate} />
      ) : (
        <span class={id === 'errors' && all.errors > BAD_SHARE ? 'worse' : undefined}>
          {figure(all[id], unit)}
        </span>
      ),
  };
}

const METRICS: ReadonlySet<Figure> = new Set(['errors', 'rejected', 'p50', 'p90', 'p99']);

interface PairProps {
  readonly id: Figure;
  readonly unit: string;
  readonly baseline: RouteFigures | undefined;
  readonly candidate: RouteFigures | undefined;
}

function Pair({ id, unit, baseline, candidate }: PairProps) {
  const told =
    METRICS.has(id) && baseline !== undefined && candidate !== undefined
      ? compare(id as Metric, baseline, candidate)
      : undefined;
  const marked = told?.difference === 'worse' || told?.difference === 'better';
  return (
    <>
      <div>{figure(baseline?.[id], unit)}</div>
      <div class={marked ? told.difference : undefined}>
        {marked && (
          <small>
            {told.difference === 'worse' ? '▲' : '▼'} {changeText(id as Metric, told)}
            <span class="sr"> {told.difference}</span>{' '}
          </small>
        )}
        {figure(candidate?.[id], unit)}
      </div>
    </>
  );
}
