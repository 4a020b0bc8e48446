/**
 * This program as the command line runs it: converges all hosts of a file side by side. Argument: a file
 * with targets and host names.
 */

import { readFileSync } from 'node:fs';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import type { SshTarget } from '../../src/ssh/connection.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { type HostName, resourcesOf } from './state.ts';

const targets = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as readonly (SshTarget & {
  name: HostName;
})[];
const context = quietContext({
  progress: ({ host, stage, count }) => process.stderr.write(`${host} ${count?.done ?? ''} ${stage}\n`),
});
const counts = await Promise.all(
  targets.map(async (target) => {
    const connection = connect(target, context);
    try {
      return (await converge(connection, resourcesOf(target.name), context)).changes.length;
    } finally {
      await connection.close();
    }
  }),
);
process.stdout.write(`${counts.reduce((sum, count) => sum + count, 0)}\n`);
