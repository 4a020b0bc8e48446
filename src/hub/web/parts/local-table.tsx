/**
 * A table that remembers its order for itself: the small ones of a page, of which the address bar need not
 * tell.
 */
import { useState } from 'preact/hooks';
import { Table, type TableProps } from './table.tsx';

interface Props<T> extends Omit<TableProps<T>, 'sort' | 'onSort'> {
  /** Order in which it begins. */
  readonly first?: string;
}

export function LocalTable<T>({ first = '', ...props }: Props<T>) {
  const [sort, setSort] = useState(first);
  return <Table {...props} sort={sort} onSort={setSort} />;
}
