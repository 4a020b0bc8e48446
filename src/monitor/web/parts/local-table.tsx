/** A table that remembers its order for itself: the small ones of a page, of which the address bar need not tell. */
import { useState } from 'preact/hooks';
import { type Column, Table } from './table.tsx';

interface Props<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly bad?: (row: T) => boolean;
  readonly first?: string;
}

export function LocalTable<T>({ first = '', ...props }: Props<T>) {
  const [sort, setSort] = useState(first);
  return <Table {...props} sort={sort} onSort={setSort} />;
}
