import { expect, test } from 'vitest';
import { refusalError } from '../../../../src/cloud/digitalocean/api/api-error.ts';

const refused = (status: number, said: string) =>
  refusalError({
    call: { method: 'POST', path: '/v2/droplets' },
    status,
    said,
    requestId: undefined,
    waitMs: undefined,
    tokenName: 'DOTOKEN',
  });

test.each([
  [422, 'Droplet already has a pending event.', 'busy'],
  [423, 'The resource is locked.', 'busy'],
  [409, 'An action is in progress.', 'busy'],
  [404, 'The resource you were accessing could not be found.', 'unknown-thing'],
  [422, 'The VPC does not exist', 'unknown-thing'],
  [400, 'invalid ssh key: 12', 'unknown-thing'],
  [403, 'You are not authorized to perform this operation', 'no-right'],
  // The same status where members of a network are still there.
  [403, 'Can not delete VPC with members', undefined],
  [422, 'You specified an invalid size for Droplet creation.', undefined],
  // Words mean nothing where the status has another meaning.
  [500, 'a pending event', undefined],
  [429, 'not found', undefined],
] as const)('a refusal with %i and "%s" has the reason %s', (status, said, reason) => {
  expect(refused(status, said).reason).toBe(reason);
});
