import { expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { reach } from '../../src/watching/reach.ts';

/** A host that answers every script alike. */
function host(name: string, exitCode: number, stdout: string): Connection {
  const target = { name, address: `${name}.example`, port: 22, user: 'root' };
  return { target, script: async () => ({ exitCode, stdout, stderr: '' }) } as unknown as Connection;
}

test('a host that does not know the name of the monitor keeps no other from being set up', async () => {
  const reached = await reach('mon', [host('web', 0, '192.0.2.11\n'), host('db', 9, '')], quietContext());
  expect(reached.map(({ addresses }) => addresses)).toEqual([['192.0.2.11'], []]);
  expect(reached.map(({ failure }) => failure?.kind)).toEqual([undefined, 'host']);
  expect(reached[1]?.failure).toMatchObject({
    host: 'db',
    message: expect.stringContaining('mon'),
    next: expect.stringContaining('ansible_host'),
  });
});
