import { expect, test } from 'vitest';
import { confirmWithin, tryLimit } from '../../src/host/patience.ts';
import { reasonOf } from '../../src/host/second-connection.ts';

test.each([
  [255, 'debug\nssh: connect to host 192.0.2.1 port 22: Connection refused\n', /Connection refused$/],
  [255, '', /exit code 255/],
  [255, ' \n', /exit code 255/],
  [null, '', /^no answer in time$/],
  [null, 'Warning: slow\n', /no answer in time, after: Warning: slow/],
])('a try that ends with %s and says %j has a reason', (exitCode, stderr, expected) => {
  expect(reasonOf(exitCode, stderr)).toMatch(expected);
});

test.each([
  [0, 20],
  [1_500, 20],
  [6_000, 30],
  [15_000, 75],
  [600_000, 180],
])(
  'after a look of %i ms the second connection has %i s, for two tries and the confirmation',
  (looked, seconds) => {
    expect(confirmWithin(looked)).toBe(seconds);
    expect(2 * tryLimit(seconds)).toBeLessThan(seconds * 1000);
  },
);
