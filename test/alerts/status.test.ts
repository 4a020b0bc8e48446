/** The status page: what troubles mean to visitors, when incidents begin and end, and what a stranger reads. */
import { describe, expect, it } from 'vitest';
import { type Impact, impactOn } from '../../src/alerts/status/impact.ts';
import { type Incident, nextIncident } from '../../src/alerts/status/incidents.ts';
import { type Status, statusPage } from '../../src/alerts/status/page.ts';
import type { AlertState } from '../../src/alerts/types.ts';

const NOW = Date.parse('2026-11-29T18:00:00Z');
const MINUTE = 60_000;
const DAY = 86_400_000;

const alert = (key: string, severity: 'warning' | 'critical', state: AlertState['state'] = 'firing') => {
  const [rule = '', subject = ''] = key.split('|');
  const kind = ['check', 'host_silent', 'memory'].includes(rule) ? ('host' as const) : ('app' as const);
  return { key, rule, subject, kind, severity, state, message: '', since: 0, seenAt: 0, fires: 1 };
};

describe('to visitors of shop on web-1 and web-2', () => {
  it.each<[string, readonly ReturnType<typeof alert>[], unknown]>([
    ['nothing is nothing', [], { impact: 'well' }],
    ['errors are an outage', [alert('errors|shop|', 'critical')], { impact: 'broken', reason: 'errors' }],
    ['slowness impairs', [alert('latency|shop|', 'warning')], { impact: 'look', reason: 'latency' }],
    ['a rule of our own impairs', [alert('slow|shop|', 'warning')], { impact: 'look', reason: 'other' }],
    [
      'one host of two is a part',
      [alert('check|web-1|shop', 'critical')],
      { impact: 'look', reason: 'partly' },
    ],
    [
      'a host that answers badly and one that is gone are all',
      [alert('check|web-1|shop', 'critical'), alert('host_silent|web-2|', 'critical')],
      { impact: 'broken', reason: 'unreachable' },
    ],
    [
      'what waits for its time is nothing',
      [alert('errors|shop|', 'critical', 'pending')],
      { impact: 'well' },
    ],
    ['memory is nobody’s business', [alert('memory|web-1|', 'warning')], { impact: 'well' }],
    ['another application is another matter', [alert('errors|api|', 'critical')], { impact: 'well' }],
  ])('%s', (_title, states, impact) => {
    expect(impactOn('shop', ['web-1', 'web-2'], states)).toEqual(impact);
  });
});

describe('incidents', () => {
  /** A minute a letter: `b` broken, `l` impaired, `.` well. */
  function course(letters: string): string[] {
    let all: readonly Incident[] = [];
    [...letters].forEach((letter, i) => {
      const impact: Impact = ({ b: 'broken', l: 'look' } as const)[letter] ?? 'well';
      const impaired = impact === 'well' ? { impact } : ({ impact, reason: 'errors' } as const);
      const next = nextIncident(all, 'shop', impaired, i * MINUTE);
      if (next !== undefined) all = [...all.filter(({ id }) => id !== next.id), next];
    });
    return all.map(
      ({ from, until, impact }) => `${impact} ${from / MINUTE}–${until === undefined ? '' : until / MINUTE}`,
    );
  }
  it.each([
    ['..bbb..', ['broken 2–5']],
    ['..bbb', ['broken 2–']],
    // It is as grave as it was at its worst.
    ['.llbbll.', ['broken 1–7']],
    // What comes back within ten minutes is the same.
    ['.b..b.', ['broken 1–5']],
    [`.b${'.'.repeat(12)}b.`, ['broken 1–2', 'broken 14–15']],
    ['....', []],
  ])('in %s', (letters, expected) => expect(course(letters)).toEqual(expected));

  it('leave alone what a person opened', () => {
    const mine: Incident = { id: 'x', app: 'shop', impact: 'look', from: 0 };
    expect(nextIncident([mine], 'shop', { impact: 'well' }, MINUTE)).toBeUndefined();
  });
});

describe('a stranger reads', () => {
  const day = (seen: number, broken = 0, look = 0) => ({ seen, broken, look });
  const status: Status = {
    title: 'Example <Inc.>',
    now: NOW,
    apps: [
      {
        name: 'shop',
        label: 'Web shop & till',
        impact: 'broken',
        days: new Map([
          ['2026-11-29', day(18 * 3_600_000, 10 * MINUTE)],
          ['2026-11-28', day(DAY, 0, 5 * MINUTE)],
          ['2026-11-27', day(DAY)],
        ]),
      },
      { name: 'api', label: 'API', impact: undefined, days: new Map() },
    ],
    incidents: [
      { id: 'a', app: 'shop', impact: 'broken', reason: 'errors', from: NOW - 10 * MINUTE },
      { id: 'b', app: '', impact: 'look', from: NOW - DAY, until: NOW - DAY + 3 * MINUTE },
    ],
    words: new Map([['a', [{ at: NOW - MINUTE, text: 'A <b>disk</b> is full.' }]]]),
  };
  const html = statusPage(status);

  it('what is down, for how long, and what people say of it', () => {
    expect(html).toContain('Something is down.');
    expect(html).toContain('Web shop &amp; till. Requests fail.');
    expect(html).toContain('goes on');
    expect(html).toContain('A &lt;b&gt;disk&lt;/b&gt; is full.');
    expect(html).toContain('2026-11-28: impaired for 5 min');
    expect(html).toContain('2026-11-29: down for 10 min');
    // 10 minutes of 66 hours.
    expect(html).toContain('Worked 99.74 % of the time');
  });

  it('that a day without a watch, or an application that nobody saw, is not known', () => {
    expect(html.match(/not watched<\/title>/g)).toHaveLength(87 + 90);
    expect(html).toContain('Not known');
    expect(html).toContain('Not watched yet.');
  });

  it('nothing that runs, loads, or leads elsewhere', () => {
    expect(html).not.toMatch(/<script|<link|<img|<a |javascript:|https?:|\son[a-z]+=/i);
    expect(html).toContain('default-src &#39;none&#39;');
    expect(html).not.toContain('<Inc.>');
  });

  it('that all works, where it does', () => {
    const apps = status.apps.map((app) => ({ ...app, impact: 'well' as const }));
    expect(statusPage({ ...status, apps, incidents: [] })).toContain('All works.');
    expect(statusPage({ ...status, apps: [], incidents: [] })).toContain('Nothing is known yet.');
  });
});
