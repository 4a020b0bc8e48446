/**
 * Simulated experiments near and beyond what the services can carry: each side is one process that answers
 * one request after the other, so requests queue. The load is open-loop, gives a request up after 10 s, and
 * skips requests while too many are under way, as the real one does.
 */
import type { Second } from '../../src/judge/index.ts';
import { type Random, seeded } from './random.ts';
import { count, pauses } from './simulate.ts';

export interface QueueBehaviour {
  /** Share of its time that the process would work if nothing were given up: 1 and more is too much. */
  readonly busy: number;
  /** Share of requests that are answered by 500, in no time. */
  readonly errors: number;
}

export interface QueueScenario {
  readonly seconds: number;
  /** Requests per second over both sides. */
  readonly rate: number;
  readonly baseline: QueueBehaviour;
  readonly candidate: QueueBehaviour;
}

const GIVE_UP_SECONDS = 10;
const UNDER_WAY_SPARE = 64;
/** Spread of the logarithm of service times. */
const SPREAD = 0.4;

interface Process {
  readonly behaviour: QueueBehaviour;
  /** Mean service time, seconds. */
  readonly mean: number;
  readonly pauses: readonly (readonly [number, number])[];
  nextPause: number;
  /** Logarithm of the host's own slowness. */
  noise: number;
  /** When it has answered everything so far. */
  freeAt: number;
}

interface Ending {
  readonly at: number;
  readonly side: 0 | 1;
  readonly outcome: '2xx' | '5xx' | 'none';
  readonly milliseconds: number;
}

/**
 * The seconds of one experiment by the time at which requests end, with those after the last request was
 * sent.
 */
export function* simulateQueues(scenario: QueueScenario, seed: number): Generator<Second> {
  const random = seeded(seed);
  const { rate, seconds } = scenario;
  const total = seconds + GIVE_UP_SECONDS;
  const shared = pauses(total, [{ every: 30, from: 0.02, to: 0.15 }], random);
  const processes = [
    process(scenario.baseline, rate, total, shared, random),
    process(scenario.candidate, rate, total, shared, random),
  ] as const;
  const mostUnderWay = Math.min(2_000, rate * GIVE_UP_SECONDS + UNDER_WAY_SPARE);
  let endings: Ending[] = [];
  let slowness = 0;
  for (let at = 0; at < total; at++) {
    // The machine's own troubles, which both share, and each host's.
    slowness = 0.9 * slowness + random.normal() * 0.04;
    for (const one of processes) one.noise = 0.7 * one.noise + random.normal() * 0.02;
    for (let n = 0; at < seconds && n < rate; n++) {
      const due = at + n / rate;
      if (endings.reduce((sum, { at: end }) => sum + (end > due ? 1 : 0), 0) >= mostUnderWay) continue;
      const side = random.uniform() < 0.5 ? 0 : 1;
      endings.push(request(processes[side], side, due, slowness, random));
    }
    const ended = endings.filter((ending) => ending.at < at + 1);
    endings = endings.filter((ending) => ending.at >= at + 1);
    yield { at, baseline: second(ended, 0), candidate: second(ended, 1) };
  }
}

function process(
  behaviour: QueueBehaviour,
  rate: number,
  seconds: number,
  shared: readonly (readonly [number, number])[],
  random: Random,
): Process {
  const own = pauses(
    seconds,
    [
      { every: 2, from: 0.002, to: 0.008 },
      { every: 30, from: 0.015, to: 0.06 },
    ],
    random,
  );
  return {
    behaviour,
    mean: behaviour.busy / (rate / 2),
    pauses: [...shared, ...own].sort((a, b) => a[0] - b[0]),
    nextPause: 0,
    noise: 0,
    freeAt: 0,
  };
}

function request(one: Process, side: 0 | 1, due: number, slowness: number, random: Random): Ending {
  if (one.behaviour.errors > 0 && random.uniform() < one.behaviour.errors) {
    return { at: due + 0.001, side, outcome: '5xx', milliseconds: 1 };
  }
  const work = one.mean * Math.exp(SPREAD * random.normal() - SPREAD ** 2 / 2 + one.noise + slowness);
  let end = Math.max(due, one.freeAt) + work;
  for (let pause = one.pauses[one.nextPause]; pause !== undefined && pause[0] < end; ) {
    if (pause[1] > one.freeAt) end += pause[1] - Math.max(pause[0], one.freeAt);
    pause = one.pauses[++one.nextPause];
  }
  one.freeAt = end;
  // Given up by the load; the process does not know and answers it all the same.
  if (end - due > GIVE_UP_SECONDS) {
    const milliseconds = GIVE_UP_SECONDS * 1000;
    return { at: due + GIVE_UP_SECONDS, side, outcome: 'none', milliseconds };
  }
  return { at: end, side, outcome: '2xx', milliseconds: (end - due) * 1000 };
}

function second(ended: readonly Ending[], side: 0 | 1): Second['baseline'] {
  const own = ended.filter((ending) => ending.side === side);
  if (own.length === 0) return { routes: {} };
  const latency: Record<string, number> = {};
  const status = { '2xx': 0, '5xx': 0 };
  for (const { outcome, milliseconds } of own) {
    if (outcome !== 'none') status[outcome]++;
    if (outcome !== '5xx') count(latency, Math.max(1, Math.round(milliseconds)));
  }
  return {
    routes: {
      'POST /preview': { requests: own.length, status, latency: { counts: latency }, size: { counts: {} } },
    },
  };
}
