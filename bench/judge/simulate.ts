/**
 * Simulated experiments: two sides of a service behind a proxy, with what makes real latency hard. Heavy
 * tails; load that drifts and that both share; warm-up; pauses of the machine that both share; garbage
 * collection of each process for itself, minor and major; noise of each host for itself that lasts for
 * seconds; a clock that counts whole milliseconds.
 */
import {
  HISTOGRAM_GAMMA,
  type LogHistogram,
  type Second,
  type SideSecond,
  type Traffic,
} from '../../src/judge/index.ts';
import { type Random, seeded } from './random.ts';

/** What distinguishes a side. */
export interface Behaviour {
  /** Share of requests that are answered by 500. */
  readonly errors: number;
  /** Share of answers whose body differs from the baseline's. */
  readonly wrongBodies: number;
  /** Factor of all latencies. */
  readonly slower: number;
  /** Factor of the 99th percentile; the tail from the 90th on is stretched towards it. */
  readonly tail: number;
  /** Factor of CPU time for each request. */
  readonly cpu: number;
  /** Factor of memory. */
  readonly memory: number;
}

export const ORDINARY: Behaviour = { errors: 0, wrongBodies: 0, slower: 1, tail: 1, cpu: 1, memory: 1 };

export interface Scenario {
  readonly seconds: number;
  /** Requests per second over both sides. */
  readonly rate: number;
  readonly baseline: Behaviour;
  readonly candidate: Behaviour;
  /**
   * Factor of what each host has for itself: the noise that lasts for seconds, and the length of its own
   * pauses. Default 1.
   */
  readonly ownNoise?: number;
  /**
   * Sequential: the first half of the time all requests go to the baseline, the second half all to the
   * candidate. Default interleaved.
   */
  readonly traffic?: Traffic;
}

const MEDIAN_MS = 12;
const SPREAD = 0.3;
/** Share of requests in the heavy tail, and its exponent. */
const HEAVY = 0.03;
const PARETO = 2.5;
const LN_GAMMA = Math.log(HISTOGRAM_GAMMA);
/** 90th and 99th percentile of an ordinary side under mean load, ms, over many experiments. */
const Q90 = 18.3;
const Q99 = 27.5;

/** The seconds of one experiment; the same seed gives the same experiment. */
export function* simulate(scenario: Scenario, seed: number): Generator<Second> {
  const random = seeded(seed);
  const shared = pauses(scenario.seconds, [{ every: 30, from: 0.02, to: 0.15 }], random);
  const own = scenario.ownNoise ?? 1;
  const hosts = [
    host(scenario.seconds, shared, own, random),
    host(scenario.seconds, shared, own, random),
  ] as const;
  const behaviours = [scenario.baseline, scenario.candidate] as const;
  let load = random.normal() * 0.15;
  for (let at = 0; at < scenario.seconds; at++) {
    load = 0.9 * load + random.normal() * 0.065;
    const sides = [side(), side()] as const;
    for (const one of hosts) one.noise = 0.7 * one.noise + random.normal() * 0.02 * own;
    for (
      let t = at + random.exponential() / scenario.rate;
      t < at + 1;
      t += random.exponential() / scenario.rate
    ) {
      const toBaseline =
        scenario.traffic === 'sequential' ? at < scenario.seconds / 2 : random.uniform() < 0.5;
      const choice = toBaseline ? 0 : 1;
      request(sides[choice], behaviours[choice], hosts[choice], load, t, random);
    }
    yield {
      at,
      baseline: close(sides[0], behaviours[0], hosts[0], random),
      candidate: close(sides[1], behaviours[1], hosts[1], random),
    };
  }
}

interface Host {
  /** Start and end of pauses, seconds, by start. */
  readonly pauses: readonly (readonly [number, number])[];
  next: number;
  /** Speed of warming up: e-folding time in seconds. */
  readonly warmup: number;
  /** Logarithm of the host's own slowness. */
  noise: number;
  heap: number;
  readonly heapStart: number;
}

function host(
  seconds: number,
  shared: readonly (readonly [number, number])[],
  factor: number,
  random: Random,
): Host {
  const own = pauses(
    seconds,
    [
      { every: 2, from: 0.002 * factor, to: 0.008 * factor },
      { every: 30, from: 0.015 * factor, to: 0.06 * factor },
    ],
    random,
  );
  return {
    pauses: [...shared, ...own].sort((a, b) => a[0] - b[0]),
    next: 0,
    warmup: 1 + random.uniform(),
    noise: 0,
    heap: random.uniform(),
    heapStart: 90 * Math.exp(random.normal() * 0.03),
  };
}

/** Start and end of pauses, in seconds. */
export function pauses(
  seconds: number,
  kinds: readonly { every: number; from: number; to: number }[],
  random: Random,
): readonly (readonly [number, number])[] {
  return kinds.flatMap(({ every, from, to }) => {
    const found: (readonly [number, number])[] = [];
    for (let t = random.exponential() * every; t < seconds; t += random.exponential() * every) {
      found.push([t, t + from + random.uniform() * (to - from)]);
    }
    return found;
  });
}

interface Side {
  requests: number;
  ok: number;
  failed: number;
  disagreed: number;
  readonly latency: Record<string, number>;
  readonly size: Record<string, number>;
  work: number;
}

const side = (): Side => ({ requests: 0, ok: 0, failed: 0, disagreed: 0, latency: {}, size: {}, work: 0 });

function request(
  side: Side,
  behaviour: Behaviour,
  host: Host,
  load: number,
  t: number,
  random: Random,
): void {
  side.requests++;
  if (behaviour.errors > 0 && random.uniform() < behaviour.errors) {
    side.failed++;
    side.work += 0.3;
    return;
  }
  side.ok++;
  if (behaviour.wrongBodies > 0 && random.uniform() < behaviour.wrongBodies) side.disagreed++;
  let ms = serviceTime(random);
  side.work += ms;
  const circumstances = Math.exp(load) * (1 + 2 * Math.exp(-t / host.warmup));
  ms *= behaviour.slower * circumstances * Math.exp(host.noise);
  while (host.next < host.pauses.length && (host.pauses[host.next]?.[1] ?? 0) < t) host.next++;
  for (let i = host.next; i < host.pauses.length; i++) {
    const [start, end] = host.pauses[i] as readonly [number, number];
    if (start > t) break;
    if (end > t) ms += (end - t) * 1000;
  }
  const ordinary = ms / circumstances;
  if (behaviour.tail > 1 && ordinary > Q90) {
    ms *= behaviour.tail ** (Math.log(ordinary / Q90) / Math.log(Q99 / Q90));
  }
  count(side.latency, Math.max(1, Math.round(ms)));
  count(side.size, random.uniform() < 0.8 ? 2048 : 300 + Math.floor(random.uniform() * 200));
}

function serviceTime(random: Random): number {
  const body = MEDIAN_MS * Math.exp(SPREAD * random.normal());
  return random.uniform() < HEAVY ? body * (1 - random.uniform()) ** (-1 / PARETO) : body;
}

/** Counts a value in a histogram's bucket. */
export function count(histogram: Record<string, number>, value: number): void {
  const index = Math.ceil(Math.log(value) / LN_GAMMA - 1e-9);
  histogram[index] = (histogram[index] ?? 0) + 1;
}

function close(side: Side, behaviour: Behaviour, host: Host, random: Random): SideSecond {
  // A heap that grows with work and falls back when it is collected.
  host.heap += side.work / 20_000 + random.uniform() * 0.01;
  if (host.heap > 1) host.heap = random.uniform() * 0.1;
  const megabytes = (host.heapStart + 25 * host.heap) * behaviour.memory;
  const latency: LogHistogram = { counts: side.latency };
  return {
    routes: {
      'POST /preview': {
        requests: side.requests,
        status: { '2xx': side.ok, '5xx': side.failed },
        latency,
        size: { counts: side.size },
      },
    },
    bodies: { compared: side.ok, disagreed: side.disagreed },
    restarts: 0,
    errorLines: side.failed,
    cpuSeconds: (side.work * 0.4 * behaviour.cpu * Math.exp(host.noise) + 10 + 5 * random.uniform()) / 1000,
    memoryBytes: Math.round(megabytes * 1048576),
  };
}
