/**
 * The monitor's Redis with the rules of `monitor setup`, started anew: what was written in transactions is
 * there, and nobody is let in unasked.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RedisConnection } from '../../src/agent/sender/resp.ts';
import { aclFile } from '../../src/roles/hub.ts';
import { redisUnavailable } from '../agent/redis-server.ts';
import { spawnMortal } from '../support/mortal.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/restart.test.ts skipped: ${missing}\n`);

it.skipIf(missing !== undefined)(
  'a restart of Redis loses nothing that the hub wrote in a transaction',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pipeline-acl-'));
    const path = join(directory, 'redis.sock');
    writeFileSync(join(directory, 'redis.acl'), aclFile({ hubPassword: 'secret', agents: [] }));
    const args = [
      '--port',
      '0',
      '--unixsocket',
      path,
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'yes',
    ];
    const start = () =>
      spawnMortal('redis-server', [...args, '--aclfile', join(directory, 'redis.acl')], { stdio: 'ignore' });
    const open = async () => {
      for (let attempt = 0; ; attempt++) {
        try {
          return await RedisConnection.open({ host: '', port: 0, path, user: 'hub', password: 'secret' });
        } catch (error) {
          if (attempt === 100) throw error;
          await sleep(50);
        }
      }
    };
    let server = start();
    try {
      const hub = await open();
      await hub.command('MULTI');
      await hub.command('XADD', 'w:raw:host:web', '1-0', 'a', 'b');
      // Alone it would be written without a transaction.
      await hub.command('HSET', 'hub:positions', 'web', '{}');
      await hub.command('EXEC');
      hub.close();
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
      server = start();
      const again = await open();
      expect(await again.command('XLEN', 'w:raw:host:web')).toBe(1);
      again.close();
      const stranger = await RedisConnection.open({ host: '', port: 0, path });
      await expect(stranger.command('XLEN', 'w:raw:host:web')).rejects.toMatchObject({ code: 'NOAUTH' });
      stranger.close();
    } finally {
      server.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
