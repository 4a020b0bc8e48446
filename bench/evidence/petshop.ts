/**
 * amazon-science/petshop-root-cause-analysis: five-minute records of a shop on AWS under load, with and
 * without 68 injected issues: requests, availability, and the quantiles 50, 90, 95 and 99 of latency.
 *
 * A record's requests are drawn from its quantiles (straight between them on a logarithmic scale) and spread
 * evenly over its 300 seconds, the failed ones at random.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seeded } from '../judge/random.ts';
import { type Answer, compare, dealRequests, dealTicks, type Trial } from './trial.ts';

const SET = 'PetShop';
const RECORD_SECONDS = 300;
/** Records of one split of fault-free data: ten minutes. */
const SPLIT_RECORDS = 2;
const QUANTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

/** Of one node of the shop in five minutes. */
interface FiveMinutes {
  readonly at: number;
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds at `QUANTILES`. */
  readonly quantiles: readonly number[];
}

interface Issue {
  readonly target: { readonly node: string; readonly metric: string; readonly timestamp: number };
  readonly root_cause: { readonly node: string };
}

export function petshop(folder: string, splits: number): Trial[] {
  const data = join(folder, 'dataset');
  // Other kinds of traffic have no recording without an issue.
  const kinds = readdirSync(data).filter((traffic) => existsSync(join(data, traffic, 'noissue')));
  return kinds.flatMap((traffic) => {
    const calm = table(join(data, traffic, 'noissue', 'metrics.csv'));
    const issues = ['train', 'test'].flatMap((part) => issuesIn(join(data, traffic, part)));
    return [
      ...splitTrials(records(calm, 'PetSite'), Math.ceil(splits / kinds.length)),
      ...issues.flatMap((issue, i) => issueTrial(issue, calm, i)),
    ];
  });
}

function issuesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Columns by `node metric statistic`, and the times. */
function table(file: string): ReadonlyMap<string, readonly string[]> {
  const rows = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split(','));
  const [nodes = [], metrics = [], statistics = [], , ...values] = rows;
  return new Map(
    nodes.map((node, i) => [
      i === 0 ? 'time' : `${node} ${metrics[i]} ${statistics[i]}`,
      values.map((row) => row[i] ?? ''),
    ]),
  );
}

function records(columns: ReadonlyMap<string, readonly string[]>, node: string): FiveMinutes[] {
  const number = (name: string, i: number) => Number(columns.get(`${node} ${name}`)?.[i] || Number.NaN);
  return (columns.get('time') ?? []).flatMap((time, i) => {
    const requests = Math.round(number('requests Sum', i));
    const availability = number('availability Average', i);
    const quantiles = QUANTILES.map(([name]) => 1000 * number(`latency ${name}`, i));
    if (!(requests > 0) || quantiles.some((ms) => !(ms > 0)) || Number.isNaN(availability)) return [];
    return [
      { at: Number(time), requests, failed: Math.round(requests * (1 - availability / 100)), quantiles },
    ];
  });
}

function splitTrials(calm: readonly FiveMinutes[], splits: number): Trial[] {
  return Array.from({ length: splits }, (_, i): Trial[] => {
    const random = seeded(i);
    const start = Math.floor(random.uniform() * (calm.length - SPLIT_RECORDS));
    const part = calm.slice(start, start + SPLIT_RECORDS);
    const dealt = part.flatMap((record) => requestsOf(record, random));
    // Neighbouring records side by side, second for second.
    const neighbours = part.slice(1).flatMap((record, n) => {
      const [a, b] = [requestsOf(part[n] as FiveMinutes, random), requestsOf(record, random)];
      return a.flatMap((answers, second) => [answers, b[second] ?? []]);
    });
    return [
      { set: SET, row: 'requests dealt', faultFree: true, ticks: dealRequests(dealt, random) },
      { set: SET, row: 'seconds dealt', faultFree: true, ticks: dealTicks(neighbours, random) },
    ];
  }).flat();
}

/** An issue as the site's visitors met it, beside fault-free records from a random place. */
function issueTrial(folder: string, calm: ReadonlyMap<string, readonly string[]>, seed: number): Trial[] {
  const { target, root_cause: cause } = JSON.parse(
    readFileSync(join(folder, 'target.json'), 'utf8'),
  ) as Issue;
  const random = seeded(seed);
  const issue = records(table(join(folder, 'metrics.csv')), target.node).filter(
    ({ at }) => at + RECORD_SECONDS > target.timestamp,
  );
  const before = records(calm, target.node);
  const start = Math.floor(random.uniform() * (before.length - issue.length));
  const seconds = (list: readonly FiveMinutes[]) => list.flatMap((record) => requestsOf(record, random));
  const ticks = compare(seconds(before.slice(start, start + issue.length)), seconds(issue), random);
  if (ticks.length === 0) return [];
  const row = `${target.metric}, ${cause.node.split('_')[0]}`;
  return [{ set: SET, row, faultFree: false, ticks }];
}

/** A record's requests by second. */
function requestsOf({ requests, failed, quantiles }: FiveMinutes, random: Random): Answer[][] {
  const seconds = Array.from({ length: RECORD_SECONDS }, (): Answer[] => []);
  for (let i = 0; i < requests; i++) {
    const answer = { ms: drawn(quantiles, random.uniform()), failed: i < failed };
    seconds[Math.floor(random.uniform() * RECORD_SECONDS)]?.push(answer);
  }
  return seconds;
}

/** A value at a rank: straight between known quantiles, and beyond them on as in the outermost part. */
function drawn(quantiles: readonly number[], rank: number): number {
  const last = QUANTILES.length - 2;
  const i = Math.max(0, Math.min(last, QUANTILES.findIndex(([, share]) => rank < share) - 1));
  const part = QUANTILES[rank >= 0.99 ? last : i] as (typeof QUANTILES)[number];
  const from = QUANTILES.indexOf(part);
  const [, low] = part;
  const [, high] = QUANTILES[from + 1] as (typeof QUANTILES)[number];
  const [a, b] = [Math.log(quantiles[from] as number), Math.log(quantiles[from + 1] as number)];
  return Math.exp(a + ((rank - low) / (high - low)) * (b - a));
}
