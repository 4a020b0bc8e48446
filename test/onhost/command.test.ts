import { expect, test } from 'vitest';
import type { CommandOrder } from '../../src/contract/command.ts';
import { runCommand } from '../../src/onhost/command.ts';
import { commandOrder } from '../../src/release/console/order.ts';
import { kept } from '../release/support.ts';
import { FakeHost } from './fake-host.ts';

const { manifest } = kept('one', 'live', { memory: 1024, directory: 'server' });
const ask = { token: 'a1', by: 'ann', words: ['echo', '$HOME'], terminal: false, secrets: ['KEY'] };

function hostWith(order: CommandOrder): FakeHost {
  const host = new FakeHost();
  host.files.set('/run/pipeline/commands/a1.json', JSON.stringify(order));
  host.files.set(order.environment, 'KEY="a \\"long\\" word"\nLEVEL="info"\n');
  return host;
}

const audited = (host: FakeHost) => JSON.parse(host.files.get('/var/log/pipeline/audit.jsonl') ?? '{}');

test('a command has user, folder, environment and limits of the release', () => {
  const { unit, properties } = commandOrder(manifest, ask);
  expect(unit).toBe('pipeline-run-app-a1.service');
  expect(properties).toEqual(
    expect.arrayContaining([
      'User=app-app',
      'WorkingDirectory=/srv/app/releases/one/app/server',
      'EnvironmentFile=/srv/app/releases/one/env',
      'MemoryMax=1024',
      'NoNewPrivileges=yes',
    ]),
  );
  expect(properties.join('\n')).toContain('PATH=/srv/app/releases/one/node/bin:');
});

test('its words reach the shell as they are, once, and its exit code comes back', async () => {
  const host = hostWith(commandOrder(manifest, ask));
  host.attachedEnds = (args) => {
    expect(args.slice(-6)).toEqual(['/bin/sh', '-c', 'exec "$$@"', 'sh', 'echo', '$$HOME']);
    expect(args).toContain('--pipe');
    return 4;
  };
  expect(await runCommand('a1', host)).toBe(4);
  expect(audited(host)).toMatchObject({
    action: 'run',
    by: 'ann',
    app: 'app',
    release: 'one',
    result: 'exit 4',
  });
  expect(await runCommand('a1', host)).toBe(2);
});

test('the audit log has the command without values of secrets', async () => {
  const words = ['curl', '-u', 'me:a "long" word', '--password=x', 'info'];
  const host = hostWith(commandOrder(manifest, { ...ask, words }));
  await runCommand('a1', host);
  expect(audited(host).message).toBe('curl -u me:*** --password=*** info');
});

test('one that a signal ended counts as in a shell, and nothing is left of it', async () => {
  const order = commandOrder(manifest, { ...ask, words: ['sleep 9'], terminal: true });
  const host = hostWith(order);
  host.unit = async () => ({ active: 'failed', restarts: 0, result: 'oom-kill', exitCode: '9' });
  expect(await runCommand('a1', host)).toBe(137);
  expect(host.calls.at(-1)).toContain(`stop ${order.unit}`);
});
