/** What `monitor setup` writes for hub and agents: read back by those who read it on the hosts. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/agent/config.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { readHubConfig } from '../../src/hub/config.ts';
import {
  agentConfig,
  alertPlaces,
  hubConfigText,
  logForwarding,
  publicPage,
} from '../../src/watching/desired.ts';

const config = (values: object): Config => ({
  ...configSchema.parse({ project: 'demo', hosts: { monitor: {}, web: { roles: ['nginx'] } }, ...values }),
  id: 'abcdefgh',
  path: '/x/pipeline.yml',
  directory: '/x',
});
const agent = (values: object, group: string) =>
  parseConfig(
    agentConfig(config(values), {
      host: group,
      groups: [group],
      monitorAddress: '10.0.0.1',
      certificate: 'PEM',
      password: 'secret',
      forward: logForwarding(config(values), { TOKEN: 'Bearer x', SYSLOG: 'udp://logs:514' }),
    }),
  );
const shop = { source: '.', hosts: ['web'] };

describe('an agent is told', () => {
  it('where logs are sent, with what the environment says; nothing where nobody asked', () => {
    const logs = {
      forward: [
        { loki: 'https://loki.example', headers: { Authorization: { env: 'TOKEN' } } },
        { syslog: 'tls://logs.example:6514' },
      ],
    };
    expect(agent({ logs }, 'web').forward).toEqual([
      { kind: 'loki', url: 'https://loki.example', headers: { Authorization: 'Bearer x' } },
      { kind: 'syslog', url: 'tls://logs.example:6514', headers: {} },
    ]);
    expect(agent({}, 'web').forward).toEqual([]);
    const from = (name: string) => () => agent({ logs: { forward: [{ syslog: { env: name } }] } }, 'web');
    expect(from('MISSING')).toThrow('MISSING, which logs: names, is not set');
    expect(from('SYSLOG')).toThrow('has another form: tcp://HOST:PORT');
  });

  it('to check an application as a deploy does, on the hosts of it', () => {
    const health = {
      path: '/up',
      method: 'POST',
      body: '{}',
      status: [200, 404],
      contains: 'ok',
      timeout: '2s',
    };
    const apps = { shop: { ...shop, health, site: { domains: ['shop.example'] } } };
    expect(agent({ apps }, 'web').checks).toEqual([
      expect.objectContaining({
        name: 'shop',
        url: 'http://127.0.0.1:80/up',
        method: 'POST',
        body: '{}',
        headers: { host: 'shop.example' },
        status: [200, 404],
        contains: 'ok',
        timeoutSeconds: 2,
        once: '/srv/shop',
      }),
    ]);
    expect(agent({ apps }, 'monitor').checks).toEqual([]);
  });

  it('that an application without a status of its own is well below 500', () =>
    expect(agent({ apps: { shop } }, 'web').checks[0]).toMatchObject({ below: 500, status: undefined }));

  it('of databases, also of those that no role names', () => {
    const databases = {
      main: { engine: 'ferretdb', name: 'shop', binary: 'x', port: 27_020 },
      orders: { engine: 'mariadb', name: 'shop' },
    };
    const { stores, units } = agent({ apps: { shop: { ...shop, databases } } }, 'web');
    expect(stores.map(({ name, address, once }) => [name, address, once])).toEqual([
      ['mariadb', '/run/mysqld/mysqld.sock', undefined],
      ['ferretdb shop', '127.0.0.1:27020', '/srv/shop'],
    ]);
    expect(units).toEqual(expect.arrayContaining(['mariadb.service', 'ferretdb@*.service']));
  });

  it('what checks: names, on the monitor or where they say', () => {
    const checks = {
      page: { url: 'https://shop.example/', contains: 'Welcome', status: 200, every: '1m' },
      mail: { tcp: 'mail.example.com:25', from: ['web'] },
    };
    const monitor = agent({ checks }, 'monitor');
    expect(monitor.checks).toEqual([
      expect.objectContaining({
        name: 'page',
        url: 'https://shop.example/',
        status: [200],
        contains: 'Welcome',
        follow: 'yes',
        everySeconds: 60,
      }),
    ]);
    expect(monitor.certificates).toEqual(['shop.example:443']);
    expect(agent({ checks }, 'web').checks).toEqual([
      expect.objectContaining({ name: 'mail', tcp: 'mail.example.com:25', url: undefined }),
    ]);
  });

  it.each([
    [{}, 'yes'],
    [{ status: [200, 301] }, 'no'],
    [{ status: 301, follow: true }, 'yes'],
    [{ follow: false }, 'no'],
  ])('a check with %j follows redirects: %s', (wanted, follow) => {
    const checks = { page: { url: 'http://shop.example/', ...wanted } };
    expect(agent({ checks }, 'monitor').checks).toMatchObject([{ follow }]);
  });

  it('to check an application over https where http only redirects: nginx redirects without it, too', () => {
    const tls = { certificate: 'a', key: 'b' };
    const apps = {
      shop: { ...shop, health: { contains: 'ok' }, site: { domains: ['*.shop.example'], tls } },
    };
    expect(agent({ apps }, 'web').checks).toMatchObject([
      { url: 'https://www.shop.example/', through: '127.0.0.1', below: 500, contains: 'ok' },
    ]);
  });

  it('the certificate of each name that nginx has', () => {
    const tls = { certificate: 'a', key: 'b' };
    const apps = { shop: { ...shop, site: { domains: ['shop.example', 'www.shop.example'], tls } } };
    expect(agent({ apps }, 'web').certificates).toEqual([
      'shop.example@127.0.0.1:443',
      'www.shop.example@127.0.0.1:443',
    ]);
  });
});

describe('the hub is told', () => {
  const notify = [{ webhook: { env: 'HOOK' } }, { slack: 'https://slack.example/x' }];
  const rules = { disk: { above: 0.8, for: '5m' }, clock: 'off' };
  const own = {
    slow: 'latency p99 on shop > 800ms for 5m',
    full: { when: 'disk > 80%', severity: 'critical' },
  };
  const repeats = { repeat: '4h', silence_after_deploy: '2m' };
  const alerts = { notify, rules, own, ...repeats, heartbeat: { url: 'https://beat.example' } };
  const page = { title: 'Example', push: { env: 'PAGE' } };

  it('hosts, places and rules, in a file that it accepts', () => {
    const wanted = config({ alerts, monitor: { status_page: page }, apps: { shop } });
    const text = hubConfigText(wanted, {
      hosts: ['web', 'monitor'],
      password: 'secret',
      dashboard: 'http://10.0.0.1/dashboard',
      places: {
        ...alertPlaces(wanted.alerts, { HOOK: 'https://hook.example/s3cret' }),
        ...publicPage(wanted, { PAGE: 'https://elsewhere.example/index.html' }),
      },
    });
    const folder = mkdtempSync(join(tmpdir(), 'hub-config-'));
    try {
      const path = join(folder, 'hub.json');
      writeFileSync(path, text);
      chmodSync(path, 0o600);
      expect(readHubConfig(path)).toMatchObject({
        hosts: ['monitor', 'web'],
        targets: [{ webhook: 'https://hook.example/s3cret' }, { slack: 'https://slack.example/x' }],
        heartbeat: { url: 'https://beat.example', everyMs: 60_000 },
        // As they were written: the same rules are read from the file.
        own: wanted.alerts.own,
        repeat: 14_400_000,
        silenceAfterDeploy: 120_000,
        auditLog: '/var/log/pipeline-hub/audit.jsonl',
        statusPage: {
          title: 'Example',
          apps: { shop: 'shop' },
          push: 'https://elsewhere.example/index.html',
        },
        rules: { disk: { above: 0.8, for: 300_000 }, clock: 'off', memory: { above: 0.95, for: 300_000 } },
      });
      chmodSync(path, 0o644);
      expect(() => readHubConfig(path)).toThrow(/may be read by others/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('nothing where a variable is not set: it is named', () =>
    expect(() => alertPlaces(config({ alerts }).alerts, {})).toThrow(
      /HOOK, which alerts: names, is not set/,
    ));
});

it('a check needs either url or tcp, and hosts that there are', () => {
  const wrong = (checks: object) =>
    configSchema.safeParse({ project: 'demo', hosts: {}, checks }).error?.issues[0]?.message;
  expect(wrong({ x: {} })).toBe('needs either url or tcp');
  expect(wrong({ x: { url: 'http://a', tcp: 'a:1' } })).toBe('needs either url or tcp');
  expect(wrong({ x: { tcp: 'a:1', every: '2h' } })).toBe('expected 1s to 1h');
});
