import { expect, test } from 'vitest';
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
