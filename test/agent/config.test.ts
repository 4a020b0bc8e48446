import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfig } from '../../src/agent/config.ts';
import { Failure } from '../../src/errors.ts';

const LEAST = {
  host: 'checkbox',
  redis: { host: '10.0.0.1', port: 6380, user: 'agent-checkbox', password: 'hunter2' },
};

const withChanges = (changes: object): string => JSON.stringify({ ...LEAST, ...changes });

function problemsOf(json: string): string {
  try {
    parseConfig(json);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return (error as Failure).message;
  }
  return '';
}

describe('the configuration', () => {
  it('needs a host and a Redis; the rest has defaults', () => {
    expect(parseConfig(JSON.stringify(LEAST))).toMatchObject({
      host: 'checkbox',
      intervalSeconds: 5,
      units: ['*.service'],
      logs: [],
      checks: [],
      stores: [],
      certificates: [],
    });
  });

  it('may hold everything', () => {
    const all = {
      intervalSeconds: 1,
      redis: { ...LEAST.redis, tls: { ca: 'PEM', servername: 'pipeline-monitor' } },
      units: ['checkbox@*.service'],
      logs: [
        { server: 'nginx', path: '/var/log/nginx/pipeline/*.json.log' },
        {
          server: 'tomcat',
          path: '/var/log/tomcat10/access.log',
          app: 'itrust',
          releaseLink: '/srv/itrust/current',
        },
      ],
      routes: ['/api/study/load/:id'],
      checks: [
        {
          name: 'site',
          url: 'https://checkbox.io/',
          contains: 'survey',
          status: [200],
          headers: { host: 'checkbox.io' },
        },
        { name: 'database', tcp: '127.0.0.1:3306', everySeconds: 5 },
      ],
      stores: [{ name: 'main', kind: 'mysql', address: '/run/mysqld/mysqld.sock', user: 'agent' }],
      certificates: ['checkbox.io:443', '/etc/ssl/site.pem'],
    };
    expect(parseConfig(withChanges(all))).toMatchObject(all);
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['a list', '[]', /must be an object/],
    ['no host', withChanges({ host: undefined }), /host must be the name of this host/],
    ['a host that cannot be part of a key', withChanges({ host: 'a:b' }), /host must be/],
    ['a misspelt key', withChanges({ unit: [] }), /unit is unknown: did you mean units\?/],
    [
      'a misspelt key deep inside',
      withChanges({ redis: { ...LEAST.redis, tls: { cacert: 'x' } } }),
      /redis\.tls\.cacert is unknown/,
    ],
    [
      'a port that is none',
      withChanges({ redis: { ...LEAST.redis, port: 70000 } }),
      /redis\.port must be a number from 1 to 65535/,
    ],
    ['an interval of nothing', withChanges({ intervalSeconds: 0 }), /intervalSeconds must be/],
    [
      'an unknown server',
      withChanges({ logs: [{ server: 'apache', path: '/x' }] }),
      /logs\[0\]\.server must be one of nginx, tomcat/,
    ],
    [
      'a path that is not absolute',
      withChanges({ logs: [{ server: 'nginx', path: 'x' }] }),
      /logs\[0\]\.path must be an absolute path/,
    ],
    [
      'a check of nothing',
      withChanges({ checks: [{ name: 'x' }] }),
      /checks\[0\] must have either url or tcp/,
    ],
    [
      'a check of two things',
      withChanges({ checks: [{ name: 'x', url: 'http://a/', tcp: 'a:1' }] }),
      /either url or tcp/,
    ],
    [
      'a database without a port',
      withChanges({ stores: [{ name: 'x', kind: 'redis', address: 'localhost' }] }),
      /stores\[0\]\.address/,
    ],
    ['units that are no list', withChanges({ units: 'nginx' }), /units must be a list/],
  ])('is refused with %s', (_, json, reason) => {
    expect(problemsOf(json)).toMatch(reason);
  });

  it('tells all mistakes at once, and no password', () => {
    const message = problemsOf(
      withChanges({ intervalSeconds: 'x', bufferBytes: -1, redis: { ...LEAST.redis, port: 'hunter2' } }),
    );
    expect(message).toMatch(/intervalSeconds.*;|redis\.port.*;/);
    expect(message.split(';')).toHaveLength(3);
    expect(message).not.toContain('hunter2');
    expect(problemsOf(`{"password":"hunter2"`)).not.toContain('hunter2');
  });

  it('is refused where others may read it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pipeline-config-'));
    const file = join(directory, 'agent.json');
    try {
      writeFileSync(file, JSON.stringify(LEAST), { mode: 0o600 });
      expect(readConfig(file).host).toBe('checkbox');
      chmodSync(file, 0o640);
      expect(() => readConfig(file)).toThrow(/may be read by others/);
      expect(() => readConfig(join(directory, 'nosuch'))).toThrow(/cannot be read/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
