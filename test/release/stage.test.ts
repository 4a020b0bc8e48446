import { expect, it } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { placeBalancers } from '../../src/release/front/balancer.ts';
import { recorded } from './support.ts';

it.each([
  ['is done', {}, ['started', 'done']],
  ['has failed where nginx refuses the site', { exitCode: 1 }, ['started', 'failed']],
  ['has failed where the host cannot be reached', new Failure('host', 'no answer'), ['started', 'failed']],
])('a stage that has started %s', async (_, answer, expected) => {
  const states: string[] = [];
  const context = quietContext({ progress: ({ stage, state }) => states.push(`${stage} ${state}`) });
  const host = { name: 'lb', connection: recorded('lb', [], () => answer) };
  const placed = placeBalancers('app', [{ host, addresses: [], site: '' }], 'text', undefined, context);
  const end = await placed.then(
    () => 'done',
    () => 'failed',
  );
  expect(end).toBe(expected.at(-1));
  expect(states).toEqual(expected.map((state) => `balancer ${state}`));
});
