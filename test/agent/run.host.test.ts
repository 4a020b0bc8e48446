/** The agent under systemd on a real host, as its own user, beside a real nginx, MariaDB and Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Window } from '../../src/metrics/catalogue.ts';
import { countOf } from '../../src/metrics/histogram.ts';
import { greatest, mergeWindows } from '../../src/metrics/merge.ts';
import { parseSample } from '../../src/metrics/wire.ts';
import { LOG_FORMAT } from '../../src/roles/nginx.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { bundleAgent, installAgent, onHost, until } from './support.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/agent/run.host.test.ts skipped: ${reason}\n`);

const CONFIG = {
  host: 'web',
  intervalSeconds: 1,
  redis: { host: '127.0.0.1', port: 6379, user: 'agent-web', password: 'secret' },
  units: ['nginx.service', 'mariadb.service', 'flaky.service'],
  logs: [{ server: 'nginx', path: '/var/log/nginx/pipeline/*.json.log' }],
  checks: [{ name: 'site', url: 'http://127.0.0.1:8080/hello', everySeconds: 1 }],
  stores: [
    { name: 'main', kind: 'mysql', address: '/run/mysqld/mysqld.sock', user: 'pipeline-agent' },
    { name: 'tcp', kind: 'mysql', address: '127.0.0.1:3306', user: 'watcher', password: 'watch it' },
    { name: 'refused', kind: 'mysql', address: '127.0.0.1:3306', user: 'watcher', password: 'wrong' },
  ],
};

const SETUP = `set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -yq --no-install-recommends nginx-light mariadb-server redis-server curl >/dev/null
redis-cli ACL SETUSER agent-web on '>secret' resetkeys resetchannels -@all +xadd '%W~in:web:*'
mariadb -e "CREATE USER 'pipeline-agent'@'localhost' IDENTIFIED VIA unix_socket;
  GRANT PROCESS ON *.* TO 'pipeline-agent'@'localhost';
  CREATE USER 'watcher'@'%' IDENTIFIED BY 'watch it'"
useradd --system --no-create-home --groups adm pipeline-agent
mkdir -p /var/log/nginx/pipeline /etc/pipeline
cat > /etc/nginx/conf.d/test.conf <<'END'
${LOG_FORMAT}
server {
  listen 127.0.0.1:8080;
  set $pipeline_app demo; set $pipeline_colour blue; set $pipeline_release r1;
  access_log /var/log/nginx/pipeline/demo.json.log pipeline;
  location /broken { return 500; }
  location / { return 200 "hello"; }
}
END
systemctl restart nginx
cat > /etc/systemd/system/flaky.service <<'END'
[Service]
ExecStart=/bin/sh -c 'sleep 1; exit 1'
Restart=always
RestartSec=100ms
END
cat > /etc/systemd/system/doomed.service <<'END'
[Service]
Type=oneshot
ExecStart=/bin/false
END
cat > /etc/systemd/system/pipeline-agent.service <<'END'
[Service]
User=pipeline-agent
ExecStart=/opt/node --lite-mode --expose-gc --max-semi-space-size=1 --max-old-space-size=64 \\
  --v8-pool-size=1 /opt/agent.js run
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
END
cat > /etc/pipeline/agent.json <<'END'
${JSON.stringify(CONFIG)}
END
chown pipeline-agent /etc/pipeline/agent.json && chmod 600 /etc/pipeline/agent.json
systemctl daemon-reload`;

describe.skipIf(reason !== undefined)('the agent on a host', () => {
  let hosts: TestHosts;
  let agent: { path: string; remove: () => void };

  beforeAll(async () => {
    hosts = await startHosts({ names: ['web'], memory: 1024 * 2 ** 20 });
    agent = await bundleAgent();
    installAgent(hosts.machine('web'), agent.path);
    onHost(hosts.machine('web'), SETUP);
    onHost(hosts.machine('web'), 'systemctl start pipeline-agent');
  });
  afterAll(async () => {
    agent?.remove();
    await hosts?.stop();
  });

  /** Everything that the agent has sent. */
  function windows(): Window[] {
    const script = `redis-cli --json XRANGE in:web:samples - +`;
    const entries = JSON.parse(onHost(hosts.machine('web'), script)) as [string, string[]][];
    return entries.map(([, parts]) => {
      const fields: Record<string, string> = {};
      for (let i = 0; i < parts.length; i += 2) fields[parts[i] ?? ''] = parts[i + 1] ?? '';
      const parsed = parseSample(fields, 'web');
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.value.window;
    });
  }

  const whole = (): Window | undefined => mergeWindows(windows());

  it('sees units: their state, restarts, memory and processor time, and those that fail', async () => {
    const machine = hosts.machine('web');
    await until('nginx', () =>
      whole()?.units.find(({ unit, memory }) => unit === 'nginx.service' && memory !== null),
    );
    onHost(machine, 'systemctl start flaky; systemctl start doomed || true');
    const failed = await until(
      'the failure',
      () =>
        windows()
          .at(-1)
          ?.units.find(({ unit }) => unit === 'doomed.service'),
      5,
    );
    expect(failed).toMatchObject({ state: 'failed' });
    await until('restarts', () =>
      whole()?.units.find(({ unit, restarts }) => unit === 'flaky.service' && restarts >= 2),
    );
    onHost(machine, 'systemctl stop flaky');
    const row = whole();
    expect(greatest(row?.system[0]?.units_failed ?? null)).toBe(1);
    expect(row?.units.find(({ unit }) => unit === 'mariadb.service')).toMatchObject({
      state: 'active',
      sub: 'running',
    });
    const memory = greatest(row?.units.find(({ unit }) => unit === 'nginx.service')?.memory ?? null) ?? 0;
    expect(memory).toBeGreaterThan(1e6);
    expect(memory).toBeLessThan(1e8);
  });

  it('sees databases, by Unix socket without a password and by TCP with one', async () => {
    const stores = await until('all databases', () => {
      const found = whole()?.stores ?? [];
      return found.length === 3 && found.some(({ size }) => size !== null) ? found : undefined;
    });
    const named = (name: string) => stores.find(({ store }) => store === name);
    expect(named('main')).toMatchObject({ kind: 'mysql', error: '' });
    expect(greatest(named('main')?.connections ?? null)).toBeGreaterThanOrEqual(1);
    expect(greatest(named('main')?.size ?? null)).toBeGreaterThan(1e6);
    expect(named('tcp')?.error).toMatch(/size unknown: .*PROCESS/);
    expect(greatest(named('tcp')?.up ?? null)).toBe(1);
    expect(named('refused')?.error).toMatch(/Access denied/);
    expect(greatest(named('refused')?.up ?? null)).toBe(0);
  });

  it('counts every request of nginx, through rotations while requests run', async () => {
    const machine = hosts.machine('web');
    const before = requests(whole());
    onHost(
      machine,
      `cd /var/log/nginx/pipeline
       for round in 1 2 3; do
         for i in $(seq 40); do curl -s -o /dev/null 127.0.0.1:8080/api/load/$i$round; done
         curl -s -o /dev/null 127.0.0.1:8080/broken
         mv demo.json.log demo.json.log.$round
         for i in $(seq 10); do curl -s -o /dev/null 127.0.0.1:8080/api/load/$i; done
         nginx -s reopen
         sleep 1.5
         cp demo.json.log demo.json.log.copy && truncate -s 0 demo.json.log
       done`,
    );
    await until('all requests', () => (requests(whole()) - before >= 150 ? true : undefined));
    const routes = whole()?.routes ?? [];
    expect(requests(whole()) - before).toBe(150);
    const load = routes.find(({ route }) => route === '/api/load/:id');
    expect(load).toMatchObject({
      server: 'nginx',
      app: 'demo',
      colour: 'blue',
      release: 'r1',
      method: 'GET',
      status_2xx: 150,
    });
    expect(load && countOf(load.latency)).toBe(150);
    expect(routes.find(({ route }) => route === '/broken')).toMatchObject({ requests: 3, status_5xx: 3 });
    expect(whole()?.agent[0]).toMatchObject({ lines_unreadable: 0 });
  });

  it('checks the site, and is itself small', () => {
    const row = whole();
    expect(row?.checks[0]).toMatchObject({ check: 'site', error: '' });
    expect(row?.problems).toEqual([]);
    // The host's, not the machine's.
    expect(greatest(row?.system[0]?.memory_total ?? null)).toBeCloseTo(1024 * 2 ** 20, -5);
    expect(row?.disks.map(({ mount }) => mount)).toEqual(['/']);
    expect(greatest(row?.agent[0]?.memory ?? null)).toBeLessThan(60 * 2 ** 20);
  });

  it('shows no secret in its arguments or its journal, and stops cleanly', () => {
    const machine = hosts.machine('web');
    const shown = onHost(machine, 'ps -eo args; journalctl -u pipeline-agent -o cat');
    expect(shown).toContain('agent.js run');
    expect(shown).not.toMatch(/secret|watch it/);
    onHost(machine, 'systemctl stop pipeline-agent');
    const journal = onHost(
      machine,
      'journalctl -u pipeline-agent -o cat; systemctl show -p Result --value pipeline-agent',
    );
    expect(journal).toContain('every sample was delivered');
    expect(journal.trim().endsWith('success')).toBe(true);
  });
});

/** Requests under `/api`. */
function requests(window: Window | undefined): number {
  return (window?.routes ?? []).reduce(
    (sum, row) => sum + (row.route.startsWith('/api/') ? row.requests : 0),
    0,
  );
}
