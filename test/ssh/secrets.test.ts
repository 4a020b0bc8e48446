/** No secret that ssh, a script or its output shows leaves a connection: canaries in every place. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { connect } from '../../src/ssh/openssh.ts';

const CANARY = 'canary-s3cret-7731';
const target = { name: 'web', address: '192.0.2.1', port: 22, user: 'root' };

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-ssh-secrets-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A connection through a program that stands in for ssh. */
function through(program: string) {
  const path = join(folder, 'ssh');
  writeFileSync(path, `#!/bin/bash\n${program}\n`);
  chmodSync(path, 0o755);
  return connect(target, quietContext({ trace: (line) => said.push(line) }), { program: path });
}

/** As ssh does: the master stands, whoever asks gets its words run here. */
const ANSWERS = `socket=; mode=client
for word in "$@"; do
  [ "$before" != -S ] || socket=$word
  [ "$before" != -O ] || exit 0
  [ "$word" != -M ] || mode=master
  before=$word
done
[ $mode = client ] || { : >"$socket"; exit 0; }
exec bash -c "\${*: -1}"`;

async function textOf(work: Promise<unknown>): Promise<string> {
  const failure = await work.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  const { message, next, output } = failure as Failure;
  return [message, next, ...output].join('\n');
}

test('what a proxy command prints where no connection comes about', async () => {
  const connection = through(`echo "proxy http://ann:${CANARY}@proxy.example refused" >&2; exit 255`);
  const text = await textOf(connection.check('true', { label: 'look' }));
  expect(text).toContain('http://***@proxy.example');
  expect(text + said.join('\n')).not.toContain(CANARY);
});

test('what a script holds and prints, named as a secret or looking like one', async () => {
  const connection = through(ANSWERS);
  const script = `echo "fetching https://ann:${CANARY}-a@example"; echo "MAIL_PASSWORD=${CANARY}-b" >&2
echo plain ${CANARY}-c; exit 7`;
  const text = await textOf(connection.check(script, { label: 'look', secrets: [`${CANARY}-c`] }));
  await connection.close();
  expect(text).toContain('look failed (exit 7)');
  expect(text).toContain('https://***@example');
  expect(text + said.join('\n')).not.toContain(CANARY);
});
