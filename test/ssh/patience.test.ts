import { expect, test } from 'vitest';
import { patienceWith, slowness } from '../../src/ssh/patience.ts';

test.each([
  [undefined, 10, 20, 30],
  [210, 10, 20, 30],
  [1_000, 10, 20, 30],
  [2_500, 25, 50, 75],
  // Nobody waits for ever.
  [60_000, 80, 160, 240],
])(
  'a host whose first connection took %s ms may take %i s to greet, %i s to sign in, %i s of silence',
  (openedMs, connectTimeoutSeconds, signInSeconds, silenceSeconds) => {
    expect(patienceWith(openedMs)).toEqual({ connectTimeoutSeconds, signInSeconds, silenceSeconds });
  },
);

test('what a caller says stays', () => {
  expect(patienceWith(60_000, { connectTimeoutSeconds: 5 })).toMatchObject({ connectTimeoutSeconds: 5 });
});

test('a host is never quicker than usual', () => {
  expect(slowness(10)).toBe(1);
});
