/**
 * What the users of the monitor's Redis can do there: the rules that `monitor setup` writes, in a real Redis.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisConnection } from '../../src/agent/sender/resp.ts';
import { answerKey, questionsKey } from '../../src/contract/logs.ts';
import { inbox } from '../../src/hub/store/keys.ts';
import { aclFile } from '../../src/roles/hub.ts';
import { redisUnavailable, TestRedis } from '../agent/redis-server.ts';

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/access.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('with the password of an agent', () => {
  let server: TestRedis;
  let agent: RedisConnection;
  const hosts = ['web', 'db'].map((host) => ({ host, password: `password of ${host}` }));
  const give = async (agents: typeof hosts) => {
    for (const line of aclFile({ hubPassword: 'hub', agents }).trim().split('\n')) {
      // What stands in brackets is one rule.
      const [, name = '', ...rules] = line.match(/\([^)]*\)|\S+/g) ?? [];
      // The test's own way in stays open.
      if (name !== 'default') await server.admin('ACL', 'SETUSER', name, 'reset', ...rules);
    }
  };
  const length = (host: string) => server.admin('XLEN', inbox(host));

  beforeAll(async () => {
    server = await TestRedis.start();
    await give(hosts);
    await server.admin('XADD', inbox('db'), '*', 'h', 'db');
    await server.admin('HSET', 'hub:users', 'admin', '{}');
    agent = await RedisConnection.open(server.address('agent-web', 'password of web'));
  });
  afterAll(async () => {
    agent?.close();
    await server?.remove();
  });

  it('one can append to its own inbox', async () => {
    expect(await agent.command('XADD', inbox('web'), '*', 'h', 'web')).toMatch(/-0$/);
  });

  it('one can take a question that is for it, and answer it', async () => {
    await server.admin('RPUSH', questionsKey('web'), '{}');
    expect(await agent.command('BLPOP', questionsKey('web'), '1')).toEqual([questionsKey('web'), '{}']);
    expect(await agent.command('SET', answerKey('web', 'id'), '{}', 'EX', '5')).toBe('OK');
  });

  it.each([
    `BLPOP ${questionsKey('db')} 1`,
    `BLPOP ${answerKey('web', 'id')} 1`,
    `RPUSH ${questionsKey('web')} {}`,
    `SET ${answerKey('db', 'id')} x`,
    `SET ${questionsKey('web')} x`,
    `GET ${answerKey('web', 'id')}`,
    `GET ${answerKey('db', 'id')}`,
    `XADD ${questionsKey('web')} * h web`,
    `XADD ${inbox('db')} * h db`,
    'XADD w:raw:host:web * h web',
    'XADD hub:events * event {}',
    `XADD ${inbox('web')}2 * h web`,
    `XRANGE ${inbox('web')} - +`,
    `XREAD STREAMS ${inbox('db')} 0`,
    `XLEN ${inbox('web')}`,
    `XTRIM ${inbox('web')} MAXLEN 0`,
    `DEL ${inbox('web')}`,
    `SET ${inbox('web')} x`,
    `RENAME ${inbox('web')} ${inbox('db')}`,
    `EXPIRE ${inbox('web')} 1`,
    `XGROUP CREATE ${inbox('web')} g 0`,
    'GET hub:leader',
    'HGETALL hub:users',
    'KEYS *',
    'SCAN 0',
    'DBSIZE',
    'SELECT 1',
    'FLUSHALL',
    'FLUSHDB',
    'CONFIG GET *',
    'CONFIG SET maxmemory 1',
    'ACL LIST',
    'ACL SETUSER agent-web ~*',
    'CLIENT LIST',
    'CLIENT KILL TYPE normal',
    'CLIENT PAUSE 10000',
    'INFO',
    'MONITOR',
    'SUBSCRIBE x',
    'PUBLISH x y',
    'EVAL return(1) 0',
    'FUNCTION LIST',
    'SCRIPT FLUSH',
    'SHUTDOWN NOSAVE',
    'REPLICAOF 127.0.0.1 1',
    'SAVE',
    'BGREWRITEAOF',
    'MULTI',
    'WAIT 1 0',
    'OBJECT ENCODING hub:users',
    'DUMP hub:users',
    'MIGRATE 127.0.0.1 1 hub:users 0 100',
    'SORT hub:users',
  ])('nobody can %s', async (command) => {
    await expect(agent.command(...command.split(' '))).rejects.toMatchObject({ code: 'NOPERM' });
  });

  it('all that can be lost or blocked is its own inbox', async () => {
    await agent.command('XADD', inbox('web'), 'MAXLEN', '0', '*', 'h', 'web');
    await agent.command('XADD', inbox('web'), '18446744073709551615-18446744073709551615', 'h', 'web');
    // The hub empties an inbox with an id like that: ingest.test.ts.
    await expect(agent.command('XADD', inbox('web'), '*', 'h', 'web')).rejects.toMatchObject({ code: 'ERR' });
    expect(await length('db')).toBe(1);
    const other = await RedisConnection.open(server.address('agent-db', 'password of db'));
    await other.command('XADD', inbox('db'), '*', 'h', 'db');
    other.close();
    expect(await length('db')).toBe(2);
  });

  it('that was revoked, nobody gets in; the others do', async () => {
    await server.admin('ACL', 'DELUSER', 'agent-web');
    await expect(RedisConnection.open(server.address('agent-web', 'password of web'))).rejects.toMatchObject({
      code: 'WRONGPASS',
    });
    (await RedisConnection.open(server.address('agent-db', 'password of db'))).close();
  });

  it.each(['FLUSHALL', 'CONFIG GET *', 'ACL LIST', 'SHUTDOWN NOSAVE', 'EVAL return(1) 0'])(
    'not even the hub can %s',
    async (command) => {
      const hub = await RedisConnection.open(server.address('hub', 'hub'));
      await expect(hub.command(...command.split(' '))).rejects.toMatchObject({ code: 'NOPERM' });
      hub.close();
    },
  );
});
