/** The rule `backup`: none for twice its interval, none at all, or one that does not come back. */
import { expect, test } from 'vitest';
import { findings, type MonitorView } from '../../src/alerts/findings.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import { window } from '../metrics/windows.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3600;
const row = {
  item: 'shop/main',
  at: NOW / 1000 - HOUR,
  since: NOW / 1000 - 90 * 24 * HOUR,
  every: 24 * HOUR,
  bytes: 1,
  error: '',
  verified: NOW / 1000 - HOUR,
  verify_error: '',
};

function told(change: Partial<typeof row> | { at: null }, off = false): readonly string[] {
  const { rules } = alertsSchema.parse(off ? { rules: { backup: 'off' } } : {});
  const latest = window({ backups: [{ ...row, ...change }] });
  const host = { name: 'web', heardAt: NOW, aheadMs: 0, latest, restarts: new Map(), growth: new Map() };
  const view: MonitorView = {
    now: NOW,
    listeningSince: 0,
    hosts: [host],
    apps: [],
    silentBefore: new Set(),
    storage: undefined,
    trouble: '',
  };
  return findings(view, rules).map(({ message }) => message);
}

const old = (hours: number) => ({ at: NOW / 1000 - hours * HOUR });

test.each([
  ['just under twice its interval', old(47.9), []],
  ['a failure within it is no alert of this rule', { ...old(30), error: 'no room' }, []],
  ['beyond it', { ...old(49), error: 'no room' }, ['shop/main on web has no backup for 2 days: no room']],
  ['never, though asked for long ago', { at: null }, ['shop/main on web was never backed up']],
  ['never, asked for today', { at: null, since: NOW / 1000 - HOUR }, []],
  [
    'one that does not come back, however new',
    { verify_error: 'it was cut off' },
    ['the backup of shop/main on web does not come back: it was cut off'],
  ],
])('%s', (_title, change, messages) => {
  expect(told(change)).toEqual(messages);
  expect(told(change, true)).toEqual([]);
});
