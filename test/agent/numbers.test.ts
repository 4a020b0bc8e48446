import { expect, it } from 'vitest';
import { numbersSource } from '../../src/agent/numbers.ts';
import { bucketIndex } from '../../src/metrics/histogram.ts';

const METRICS = (jobs: number, fast: number, slow: number) => `# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{queue="mail",host="a"} ${jobs}
jobs_total{queue="mail",host="b"} 5
jobs_total{queue="sms"} 1000
queue_depth 7.5 1700000000
took_seconds_bucket{le="0.1"} ${fast}
took_seconds_bucket{le="0.5"} ${fast + slow}
took_seconds_bucket{le="+Inf"} ${fast + slow + 1}
`;

function source(...answers: (string | Error)[]) {
  const url = 'http://127.0.0.1:1/metrics';
  return numbersSource(
    [
      { name: 'jobs', type: 'counter', url, prometheus: 'jobs_total{queue="mail"}' },
      { name: 'depth', type: 'gauge', url, prometheus: 'queue_depth' },
      { name: 'took', type: 'histogram', url, prometheus: 'took_seconds' },
      { name: 'nothing', type: 'gauge', url, prometheus: 'no_such' },
    ],
    async () => {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked too often');
      return answer;
    },
  );
}

it('gives gauges as they are, and of counters and histograms what came since', async () => {
  const numbers = source(METRICS(10, 0, 0), METRICS(13, 4, 2));
  expect((await numbers.take(1, 1)).values).toEqual({ depth: 7.5 });
  expect(await numbers.take(2, 1)).toEqual({
    kind: 'numbers',
    at: 2,
    seconds: 1,
    values: { jobs: 3, depth: 7.5, took: { counts: { [bucketIndex(0.1)]: 4, [bucketIndex(0.5)]: 2 } } },
  });
});

it('says nothing of a service that is away, counts over the gap, and begins anew after a restart', async () => {
  const numbers = source(METRICS(10, 0, 0), new Error('refused'), METRICS(14, 1, 0), METRICS(2, 1, 0));
  await numbers.take(1, 1);
  expect((await numbers.take(2, 1)).values).toEqual({});
  expect((await numbers.take(3, 1)).values).toMatchObject({ jobs: 4 });
  expect((await numbers.take(4, 1)).values).toMatchObject({ jobs: 7 });
});

it('reads a field of JSON', async () => {
  const url = 'http://127.0.0.1:1/stats';
  const wanted = [
    { name: 'depth', type: 'gauge', url, json: 'queues.0.depth' },
    { name: 'text', type: 'gauge', url, json: 'name' },
  ] as const;
  const numbers = numbersSource(wanted, async () => '{"name": "x", "queues": [{"depth": 3}]}');
  expect((await numbers.take(1, 1)).values).toEqual({ depth: 3 });
});
