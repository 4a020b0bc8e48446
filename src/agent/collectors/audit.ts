/**
 * The host's audit log, for the hub's events. The log is the truth: at its start, and after samples were
 * lost, the agent sends the end of it again, and the hub knows each line that it has. So a hub, a Redis or an
 * agent that was away misses nothing.
 */
import { AUDIT_LOG } from '../../contract/places.ts';
import type { Row } from '../../metrics/catalogue.ts';
import type { Collector } from '../collector.ts';
import { parseLine } from '../logs/json-line.ts';
import { Tail } from '../logs/tail.ts';

/** What is read again: about a thousand lines. */
const MAX_BYTES = 256 * 1024;
/** Lines of one sample. */
const ROWS = 20;

/** A line as a row; undefined if it is not an entry of ours. */
export function auditRow(line: string, fresh: boolean): Row<'audit'> | undefined {
  const fields = parseLine(line);
  if (fields === undefined) return undefined;
  const text = (key: string): string => {
    const value = fields[key];
    return typeof value === 'string' ? value : '';
  };
  if (Number.isNaN(Date.parse(text('at'))) || text('action') === '') return undefined;
  return {
    at: text('at'),
    action: text('action'),
    app: text('app'),
    release: text('release'),
    result: text('result'),
    previous: text('previous'),
    commit: text('commit'),
    by: text('by'),
    message: text('message') || text('subject'),
    fresh: fresh ? 'yes' : '',
  };
}

/** @param lost how many samples were lost since the agent began: their lines are sent again */
export function auditCollector(lost: () => number, path = AUDIT_LOG): Collector {
  const open = () =>
    new Tail(path, { fromStart: true, maxBytesPerRead: MAX_BYTES, maxBacklogBytes: MAX_BYTES });
  let tail = open();
  let first = true;
  let lostBefore = 0;
  let waiting: Row<'audit'>[] = [];
  return {
    name: 'audit log',
    everySeconds: 0,
    collect(seconds) {
      // What the first look finds goes nowhere.
      if (seconds === 0) return {};
      const lostNow = lost();
      if (lostNow !== lostBefore && waiting.length === 0) {
        tail.close();
        tail = open();
        first = true;
        lostBefore = lostNow;
      }
      tail.read((line) => waiting.push(...[auditRow(line, !first) ?? []].flat()));
      first = false;
      const audit = waiting.slice(0, ROWS);
      waiting = waiting.slice(ROWS);
      return { audit };
    },
    close: () => tail.close(),
  };
}
