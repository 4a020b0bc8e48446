/**
 * Converges one host and says each stage: a program of its own, so that a test can kill it. Argument: a file
 * with target and resources.
 */

import { readFileSync } from 'node:fs';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { connect } from '../../src/ssh/openssh.ts';

const { target, resources } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const say = (line: string) => process.stdout.write(`${line}\n`);
const context = quietContext({ progress: ({ stage, state }) => say(`${state} ${stage}`) });
const connection = connect(target, context);
const { changes } = await converge(connection, resources, context);
await connection.close();
say(`changed ${changes.length}`);
