/** Live canaries as their host tells of them: one promoted, one taken back, one that waits, one under way. */
import type { RolloutEvent, RolloutMetric, RolloutStatus } from '../../../src/contract/rollout.ts';

const MINUTE = 60_000;
const iso = (at: number) => new Date(at).toISOString();

function metric(name: string, change: Partial<RolloutMetric>): RolloutMetric {
  return {
    name,
    unit: 'share',
    baseline: 0.0005,
    candidate: 0,
    odds: 1,
    tolerated: null,
    cleared: true,
    ...change,
  };
}

function metrics(errorOdds: number): readonly RolloutMetric[] {
  const ms = { unit: 'ms', tolerated: 0.1 } as const;
  return [
    metric('errors (5xx)', {
      candidate: errorOdds > 10 ? 0.031 : 0.0004,
      odds: errorOdds,
      cleared: errorOdds < 10,
    }),
    metric('errors (4xx)', { baseline: 0.012, candidate: 0.011 }),
    metric('latency p50', { ...ms, baseline: 12.1, candidate: 12.4 }),
    metric('latency p90', { ...ms, baseline: 41, candidate: 43, odds: 3.4, cleared: false }),
    metric('visitors who leave', { baseline: null, candidate: null, cleared: false }),
  ];
}

/** @param ended when it ended; undefined: it runs at the second step */
export function rolloutStatus(
  id: string,
  began: number,
  at: number,
  change: Partial<RolloutStatus> = {},
): RolloutStatus {
  const began1: RolloutEvent = { at: iso(began), kind: 'began', percent: 1, why: '' };
  const step: RolloutEvent = {
    at: iso(began + MINUTE),
    kind: 'step',
    percent: 5,
    why: 'harm beyond the margin of this step is excluded',
  };
  const requests = Math.round((at - began) / 100);
  return {
    app: 'checkbox.io',
    id,
    phase: 'running',
    began: iso(began),
    at: iso(at),
    baseline: {
      release: '20261128-060000-0fb8c1c',
      ref: 'v1',
      commit: '0fb8c1c0ffee',
      subject: 'Send less',
    },
    candidate: {
      release: '20261129-060000-c20cadf',
      ref: 'v2',
      commit: 'c20cadf0ffee',
      subject: 'Keep answers of studies',
    },
    by: 'visitor',
    steps: [1, 5, 25, 50, 100],
    percent: 5,
    alpha: 0.01,
    alarm: 100,
    sides: {
      baseline: { visitors: Math.round(requests / 8), requests, failed: Math.round(requests / 2000) },
      candidate: {
        visitors: Math.round(requests / 160),
        requests: Math.round(requests / 20),
        failed: 0,
      },
    },
    metrics: metrics(1),
    next: {
      percent: 25,
      waitsFor: 'latency p90 to be shown no worse (about 160 more visitors of the new version)',
    },
    until: iso(began + 120 * MINUTE),
    otherwise: 'hold',
    events: at < began + MINUTE ? [began1] : [began1, step],
    ...change,
  };
}

/** What a rollout is at its end. */
export function endedStatus(
  id: string,
  began: number,
  at: number,
  kind: 'promoted' | 'taken back' | 'held',
): RolloutStatus {
  const running = rolloutStatus(id, began, at - MINUTE);
  const why = {
    promoted: 'harm beyond the margin of this step is excluded',
    'taken back': 'errors (5xx): the evidence of harm is worth 143 to 1',
    held: 'the evidence did not suffice in time',
  }[kind];
  const percent = { promoted: 100, 'taken back': 0, held: 5 }[kind];
  return {
    ...running,
    phase: kind,
    at: iso(at),
    percent,
    metrics: metrics(kind === 'taken back' ? 143 : 1),
    next: kind === 'held' ? { percent: 25, waitsFor: 'somebody to promote or abort it' } : null,
    events: [...running.events, { at: iso(at), kind, percent, why }],
  };
}
