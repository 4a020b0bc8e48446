/** Hosts that take their time, by a client that says what ssh says. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { connect } from '../../src/ssh/openssh.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-slow-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A client whose openings end as these lines of bash say, one after the other; and what each was given. */
function client(...openings: string[]) {
  const program = join(folder, 'ssh');
  const cases = openings.map((bash, index) => `${index + 1}) ${bash};;`).join('\n');
  writeFileSync(
    program,
    `#!/bin/bash
[[ $* = *' -N '* ]] || exit 255
echo "$*" >>${folder}/openings
case $(wc -l <${folder}/openings) in
${cases}
esac
`,
  );
  chmodSync(program, 0o755);
  const progress: string[] = [];
  const context = quietContext({ progress: ({ host, stage }) => progress.push(`${host} ${stage}`) });
  const target = { name: 'web', address: '192.0.2.7', port: 22, user: 'root' };
  return {
    progress,
    connection: (options = {}) => connect(target, context, { program, ...options }),
    given: () =>
      readFileSync(join(folder, 'openings'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => /ConnectTimeout=(\d+)/.exec(line)?.[1]),
  };
}
const SILENT = 'echo "Connection timed out during banner exchange" >&2; exit 255';
const DEAD = 'echo "ssh: connect to host 192.0.2.7 port 22: Connection timed out" >&2; exit 255';
const ask = { label: 'ask', timeoutMs: 5_000 };

describe('a host', () => {
  test('that takes the connection and says nothing is tried once more, for longer, and says so', async () => {
    const { connection, given, progress } = client(SILENT, SILENT);
    await expect(connection().check('true', ask)).rejects.toMatchObject({
      reason: 'slow',
      message: expect.stringContaining('its SSH service says nothing'),
    });
    expect(given()).toEqual(['10', '80']);
    expect(progress).toEqual(['web slow to answer']);
  });

  test('that does not answer at all is not waited for again', async () => {
    const { connection, given } = client(DEAD);
    await expect(connection().check('true', ask)).rejects.toMatchObject({ reason: 'timeout' });
    expect(given()).toEqual(['10']);
  });

  test('is not tried again where the caller has a patience of its own', async () => {
    const { connection, given } = client(SILENT);
    await expect(connection({ connectTimeoutSeconds: 5 }).check('true', ask)).rejects.toMatchObject({
      reason: 'slow',
    });
    expect(given()).toEqual(['5']);
  });

  test('that was slow once may be slow again, also for other programs', async () => {
    const { connection } = client('sleep 1.3; exit 0');
    const slow = connection();
    expect(slow.openedMs).toBeUndefined();
    await slow.check('true', ask).catch(() => {});
    expect(slow.openedMs).toBeGreaterThan(1_300);
    const seconds = Number(/ConnectTimeout=(\d+)/.exec(slow.sshArguments().join(' '))?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(13);
  });
});
