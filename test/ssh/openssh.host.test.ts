import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { scripts } from './host/scripts.ts';
import { sharedConnection } from './host/shared-connection.ts';
import { ShellHost } from './host/shell-host.ts';
import { uploads } from './host/uploads.ts';
import { usualFailures } from './host/usual-failures.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(`connections to a real host (${unavailable ?? 'local'})`, () => {
  const at = new ShellHost();
  beforeAll(() => at.start());
  afterAll(() => at.stop());

  scripts(at);
  usualFailures(at);
  uploads(at);
  sharedConnection(at);

  test('its arguments are for any other program, strict as it is itself', async () => {
    const program = spawn('ssh', [...at.host.sshArguments(), 'echo "$USER"'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    program.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await new Promise((resolve) => program.once('close', resolve));
    expect(printed).toBe('root\n');
    expect(at.host.sshArguments()).toContain('StrictHostKeyChecking=yes');
  });
});
