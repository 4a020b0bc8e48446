/** Columns that many tables have. */
import type { RouteFigures } from '../../api-types.ts';
import { figure } from '../state/format.ts';
import { Meter } from './meter.tsx';
import type { Column } from './table.tsx';

/** `minor`: hidden on a phone. */
interface Options {
  readonly minor?: boolean;
}

export function words<T>(
  id: string,
  title: string,
  of: (row: T) => string,
  options: Options = {},
): Column<T> {
  return { id, title, word: true, by: of, cell: of, ...options };
}

type FigureOf<T> = (row: T) => number | null | undefined;

export function figures<T>(
  id: string,
  title: string,
  unit: string,
  of: FigureOf<T>,
  options: Options = {},
): Column<T> {
  return { id, title, by: of, cell: (row) => figure(of(row), unit), ...options };
}

/** A share, with a bar. */
export function shares<T>(id: string, title: string, of: FigureOf<T>, options: Options = {}): Column<T> {
  return { id, title, by: of, cell: (row) => <Meter share={of(row) ?? null} />, ...options };
}

/** Errors and durations. */
export function requestColumns<T>(of: (row: T) => RouteFigures): readonly Column<T>[] {
  return [
    figures('errors', 'Errors', 'ratio', (row) => of(row).errors),
    figures('p50', 'p50', 'ms', (row) => of(row).p50, { minor: true }),
    figures('p90', 'p90', 'ms', (row) => of(row).p90),
    figures('p99', 'p99', 'ms', (row) => of(row).p99, { minor: true }),
  ];
}
