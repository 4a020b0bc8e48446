import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TABLE_NAMES, TABLES } from '../../src/metrics/catalogue.ts';
import {
  correctTime,
  encodeSample,
  encodeWindow,
  parseSample,
  parseWindow,
  type Sample,
} from '../../src/metrics/wire.ts';
import { anyWindow, window } from './windows.ts';

const SENT = 1_700_000_005_100;

const disk = {
  mount: '/',
  device: '/dev/vda1',
  size: 1e10,
  used: 5e9,
  inodes_used: 0.1,
  read: 0,
  written: 1000,
  reads: 0,
  writes: 2,
  busy: 0.01,
};

const sample: Sample = { window: window({ disks: [disk] }), instance: 'a1b2', sequence: 7, sentAt: SENT };
const fields = encodeSample(sample);

function reasonOf(changed: Record<string, string>, host = 'checkbox'): string {
  const parsed = parseSample({ ...fields, ...changed }, host);
  return parsed.ok ? 'accepted' : parsed.reason;
}

describe('a sample on the wire', () => {
  it('comes back as it was', () => {
    expect(parseSample(fields, 'checkbox')).toEqual({ ok: true, value: sample });
  });

  it('comes back as it was, whatever was measured', () => {
    fc.assert(
      fc.property(anyWindow, (any) => {
        // Histograms stay texts until they are asked for.
        const parsed: unknown = JSON.parse(JSON.stringify(parseWindow(encodeWindow(any))));
        expect(parsed).toEqual({ ok: true, value: any });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps means with their greatest, and weights of parts', () => {
    const merged = window({ disks: [{ ...disk, weight: 2, busy: [0.25, 0.5] }] });
    expect(parseWindow(encodeWindow(merged))).toEqual({ ok: true, value: merged });
  });

  it('is cleaned where text would break a page or a log, and cut where it is too long', () => {
    const dirty = window({ disks: [{ ...disk, device: `a\u0000b\n\ud800${'x'.repeat(200)}` }] });
    const parsed = parseWindow(encodeWindow(dirty));
    expect(parsed.ok && parsed.value.disks[0]?.device).toBe(`a\ufffdb\ufffd\ufffd${'x'.repeat(59)}`);
  });

  it.each([
    ['too high', 7, 1.01],
    ['negative', -1, 0],
    ['not a number', Number.NaN, null],
  ])('never carries a gauge that is %s: the whole sample would be refused', (_, busy, expected) => {
    const parsed = parseWindow(encodeWindow(window({ disks: [{ ...disk, busy }] })));
    expect(parsed.ok && parsed.value.disks[0]?.busy).toBe(expected);
  });
});

describe('what is not an honest sample is refused whole', () => {
  const row = (changes: Readonly<Record<number, unknown>>): string => {
    const [cells] = JSON.parse(fields.disks ?? '') as [unknown[]];
    return JSON.stringify([Object.assign(cells, changes)]);
  };
  const CASES: readonly [what: string, changed: Record<string, string>, reason: RegExp][] = [
    ['another version', { v: '2' }, /version "2".*monitor setup/],
    ['no version', { v: '' }, /version ""/],
    ['a host name that is none', { h: '<script>' }, /not a host name/],
    ['a time that is none', { t: 'NaN' }, /field t/],
    ['a negative time', { t: '-5' }, /field t/],
    ['a time in the year 3000', { t: '32503680000000' }, /field t/],
    ['no interval', { s: '0' }, /field s/],
    ['an endless interval', { s: '1e9' }, /field s/],
    ['an interval of a year', { s: '31536000' }, /field s/],
    ['a sequence that is none', { q: '1.5' }, /field q/],
    ['an instance that is none', { i: 'x y' }, /field i/],
    ['an instance without end', { i: 'x'.repeat(65) }, /field i/],
    ['no time of sending', { n: '' }, /field n/],
    ['measured an hour after it was sent', { t: String(SENT + 3_600_000) }, /after it was sent/],
    ['measured a month before it was sent', { t: String(SENT - 30 * 86_400_000) }, /7 days/],
    ['an unknown field', { extra: '1' }, /field "extra"/],
    ['a field named like a method', { toString: '1' }, /field "toString"/],
    ['no JSON', { disks: '[[0,' }, /disks is not JSON/],
    ['JSON that is no table', { disks: '{"a":1}' }, /not an array/],
    ['a row that is none', { disks: '[7]' }, /row/],
    ['a row too long', { disks: JSON.stringify([Array(99).fill(0)]) }, /row/],
    ['more rows than a host has', { disks: JSON.stringify(Array(65).fill([])) }, /65 rows/],
    ['two rows of the host itself', { system: '[[0],[0]]' }, /2 rows/],
    ['10 MB in a field', { disks: `"${'x'.repeat(1e7)}"` }, /10000002 characters/],
    ['brackets without end', { disks: '['.repeat(500_000) }, /not JSON/],
    ['a negative gauge', { disks: row({ 3: -1 }) }, /column size/],
    ['a huge gauge', { disks: row({ 3: 1e300 }) }, /column size/],
    ['text for a gauge', { disks: row({ 3: '1' }) }, /column size/],
    ['NaN written out', { disks: row({}).replace('10000000000', 'NaN') }, /not JSON/],
    ['a gauge of three numbers', { disks: row({ 3: [1, 2, 3] }) }, /column size/],
    ['a share above the whole', { disks: row({ 10: 2 }) }, /column busy/],
    ['a number for a label', { disks: row({ 1: 5 }) }, /column mount/],
    ['a label without end', { disks: row({ 1: 'x'.repeat(257) }) }, /column mount/],
    ['control characters', { disks: row({ 1: '/\u001b[31m' }) }, /column mount/],
    ['half of a character', { disks: '[[0,"\\ud800","d",1,1,0,0,0,0,0,0]]' }, /column mount/],
    ['a negative weight', { disks: row({ 0: -5 }) }, /weight/],
    ['a count that is no whole number', { networks: '[[0,"eth0",1,1,1,1,0.5,0]]' }, /column errors/],
    ['a count beyond all bounds', { networks: '[[0,"eth0",1,1,1,1,1e15,0]]' }, /column errors/],
    [
      'a histogram that is none',
      { routes: '[[0,"nginx","a","","","GET","/",1,1,0,0,0,0,0,"x","0;0;"]]' },
      /column latency/,
    ],
  ];

  it.each(CASES)('%s', (_, changed, reason) => {
    expect(reasonOf(changed)).toMatch(reason);
  });

  it("another host's name", () => {
    expect(reasonOf({}, 'itrust')).toMatch(/another host/);
    expect(reasonOf({ h: 'itrust' })).toMatch(/another host/);
  });

  it('anything, without ever throwing', () => {
    const value = fc.oneof(fc.string(), fc.json());
    const any = fc.record(
      Object.fromEntries(
        Object.keys(fields).map((key) => [key, fc.oneof(fc.constant(fields[key] ?? ''), value)]),
      ),
    );
    fc.assert(
      fc.property(any, (forged) => void parseSample(forged, 'checkbox')),
      { numRuns: 500 },
    );
  });
});

describe('an older agent', () => {
  it('may send fewer columns, and tables it does not have', () => {
    const { certificates: _, ...without } = fields;
    const parsed = parseSample({ ...without, disks: '[[0,"/","/dev/vda1",10,5]]' }, 'checkbox');
    expect(parsed.ok && parsed.value.window.disks[0]).toMatchObject({
      used: 5,
      inodes_used: null,
      busy: null,
    });
    expect(parsed.ok && parsed.value.window.certificates).toEqual([]);
  });

  it('may not leave out what tells rows apart', () => {
    expect(reasonOf({ disks: '[[0]]' })).toMatch(/column mount/);
  });
});

describe('the clock', () => {
  it.each([
    ['right', SENT, 0, 1_700_000_005_000],
    ['a minute ahead', SENT - 60_000, 60_000, 1_699_999_945_000],
    ['a minute behind', SENT + 60_000, -60_000, 1_700_000_065_000],
  ])('of a host that is %s is corrected', (_, receivedAt, aheadMs, at) => {
    expect(correctTime(sample, receivedAt)).toEqual({ at, aheadMs });
  });

  it('never puts a sample into the future', () => {
    const forged = { ...sample, window: { ...sample.window, at: SENT + 59_000 } };
    expect(correctTime(forged, SENT).at).toBe(SENT);
  });
});

it('has names that cannot be taken for fields of the envelope', () => {
  expect(TABLE_NAMES.filter((name) => name.length === 1)).toEqual([]);
  for (const name of TABLE_NAMES) expect(Object.keys(TABLES[name].columns)).not.toContain('weight');
});
