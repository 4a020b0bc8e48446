/**
 * A table whose columns can be sorted. Cells are text or what a column makes of them; nothing that comes from
 * a host is ever markup.
 */
import type { ComponentChildren } from 'preact';
import { nextSort, type Sortable, sorted } from '../state/sort.ts';

export interface Column<T> {
  readonly id: string;
  readonly title: string;
  /** Left-aligned, and sorted from A to Z first. */
  readonly word?: boolean;
  /** Hidden on a phone. */
  readonly minor?: boolean;
  /** What it is sorted by; absent: not sortable. */
  readonly by?: (row: T) => Sortable;
  readonly cell: (row: T) => ComponentChildren;
}

export interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly bad?: (row: T) => boolean;
  readonly sort: string;
  readonly onSort: (sort: string) => void;
}

const ARROWS = { ascending: '↑', descending: '↓', none: '' } as const;

export function Table<T>({ label, columns, rows, keyOf, bad, sort, onSort }: TableProps<T>) {
  const by = Object.fromEntries(columns.flatMap(({ id, by: of }) => (of === undefined ? [] : [[id, of]])));
  const cellClass = ({ word, minor }: Column<T>) =>
    [word ? 'word' : '', minor ? 'minor' : ''].filter(Boolean).join(' ') || undefined;
  const order = (id: string) => (sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : 'none');
  return (
    <div class="scroll">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                class={cellClass(column)}
                aria-sort={column.by === undefined ? undefined : order(column.id)}
              >
                {column.by === undefined ? (
                  column.title
                ) : (
                  <button
                    type="button"
                    onClick={() => onSort(nextSort(sort, column.id, column.word === true))}
                  >
                    {column.title}
                    <span class="order" aria-hidden="true">
                      {ARROWS[order(column.id)]}
                    </span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, sort, by).map((row) => (
            <tr key={keyOf(row)} class={bad?.(row) ? 'bad' : undefined}>
              {columns.map((column) => (
                <td key={column.id} class={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
