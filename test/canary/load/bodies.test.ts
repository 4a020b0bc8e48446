import { describe, expect, it } from 'vitest';
import { BodyComparer } from '../../../src/canary/load/bodies.ts';
import { seededUniform } from '../../../src/judge/random.ts';

/** Feeds seconds of answers: `baseline` and `candidate` say what each side answers. */
function run(
  comparer: BodyComparer,
  seconds: number,
  baseline: (index: number) => string,
  candidate: (index: number) => string,
  status = 200,
) {
  const total = { baseline: { compared: 0, disagreed: 0 }, candidate: { compared: 0, disagreed: 0 } };
  for (let second = 0; second < seconds; second++) {
    for (let index = 0; index < 50; index++) {
      const at = second * 50 + index;
      comparer.observe({ request: 0, side: 'baseline', status: 200, body: Buffer.from(baseline(at)) });
      comparer.observe({ request: 0, side: 'candidate', status, body: Buffer.from(candidate(at)) });
    }
    const done = comparer.endSecond();
    for (const side of ['baseline', 'candidate'] as const) {
      total[side].compared += done[side].compared;
      total[side].disagreed += done[side].disagreed;
    }
  }
  return total;
}

describe('body agreement', () => {
  it('finds no difference where there is none, and compares from the second second on', () => {
    const total = run(
      new BodyComparer(['GET /'], []),
      4,
      () => 'same',
      () => 'same',
    );
    expect(total).toEqual({
      baseline: { compared: 150, disagreed: 0 },
      candidate: { compared: 150, disagreed: 0 },
    });
  });

  it('finds every wrong answer and keeps an example from where it differs', () => {
    const comparer = new BodyComparer(['GET /'], []);
    const right = `${'x'.repeat(200)} right end`;
    const total = run(
      comparer,
      4,
      () => right,
      (at) => (at % 50 === 0 ? right.replace('right', 'wrong') : right),
    );
    expect(total.candidate).toEqual({ compared: 150, disagreed: 3 });
    expect(total.baseline.disagreed).toBe(0);
    expect(comparer.differences[0]?.baseline).toMatch(/^…x{59} right end$/);
    expect(comparer.differences[0]?.candidate).toMatch(/^…x{59} wrong end$/);
  });

  it('holds a different status against the same body', () => {
    expect(
      run(
        new BodyComparer(['GET /'], []),
        3,
        () => 'same',
        () => 'same',
        404,
      ).candidate.disagreed,
    ).toBe(100);
  });

  it('leaves answers of 500 and above to the errors', () => {
    expect(
      run(
        new BodyComparer(['GET /'], []),
        3,
        () => 'same',
        () => 'error',
        500,
      ).candidate.compared,
    ).toBe(0);
  });

  it('ignores what the configuration says', () => {
    const comparer = new BodyComparer(['GET /'], [/"at":\d+/]);
    const total = run(
      comparer,
      3,
      (at) => `{"at":${at},"a":1}`,
      (at) => `{"at":${at + 7},"a":1}`,
    );
    expect(total.candidate).toEqual({ compared: 100, disagreed: 0 });
    expect(comparer.restless()).toEqual([]);
  });

  it(
    'shows as much disagreement on the baseline as on the candidate where answers are drawn from one ' +
      'distribution',
    () => {
      const random = seededUniform(7);
      const draw = () => `answer ${Math.floor(-Math.log(1 - random()) * 40)}`;
      const total = run(new BodyComparer(['GET /'], []), 60, draw, draw);
      const noise = total.baseline.disagreed / total.baseline.compared;
      expect(noise).toBeGreaterThan(0.005);
      // Four standard errors of a difference of two shares.
      const error = Math.sqrt((2 * noise * (1 - noise)) / total.baseline.compared);
      expect(Math.abs(total.candidate.disagreed / total.candidate.compared - noise)).toBeLessThan(4 * error);
    },
  );

  it('says where answers differ every time, so that a comparison means nothing', () => {
    const comparer = new BodyComparer(['GET /id'], []);
    const total = run(
      comparer,
      3,
      (at) => `baseline ${at}`,
      (at) => `candidate ${at}`,
    );
    expect(total.baseline.disagreed).toBe(total.baseline.compared);
    expect(comparer.restless()).toEqual(['GET /id']);
    expect(comparer.differences).toEqual([]);
  });

  it('does not let a rare wrong answer of the baseline excuse a common one of the candidate', () => {
    const comparer = new BodyComparer(['GET /'], []);
    const total = run(
      comparer,
      40,
      (at) => (at === 5 ? 'wrong' : 'right'),
      (at) => (at % 2 === 0 ? 'wrong' : 'right'),
    );
    expect(total.candidate.disagreed / total.candidate.compared).toBeGreaterThan(0.45);
  });
});
