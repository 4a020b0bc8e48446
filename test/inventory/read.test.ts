import { expect, test } from 'vitest';
import { readInventory } from '../../src/inventory/read.ts';

const context = { cwd: import.meta.dirname };

test.each([
  ['nothing.ini', 'there is no inventory nothing.ini'],
  ['.', 'cannot be read'],
  ['cases/bad-kind.ini', 'cases/bad-kind.ini:1: unknown kind'],
])('%s: %s', async (path, message) => {
  await expect(readInventory(path, context)).rejects.toMatchObject({
    kind: 'usage',
    message: expect.stringContaining(message),
    next: expect.stringMatching(/\S/),
  });
});

test('the path of an inventory is absolute', async () => {
  expect((await readInventory('cases/plain.ini', context)).path).toBe(
    `${import.meta.dirname}/cases/plain.ini`,
  );
});
