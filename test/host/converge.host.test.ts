import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProgressEvent, quietContext } from '../../src/context.ts';
import type { Failure } from '../../src/errors.ts';
import { converge } from '../../src/host/converge.ts';
import type { Resource } from '../../src/host/resource.ts';
import type { SshTarget } from '../../src/ssh/connection.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { FIREWALL, NGINX, nginxConf, RICH, worker } from './rich.ts';
import { bundleConverge, CountingConnection, on, startConverge, targetOf } from './support.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/host/converge.host.test.ts skipped: ${reason}\n`);

/** The session of the run that is at work the longest: the script with everything that it started. */
const KILL_OLDEST_RUN = 'pkill -9 -s "$(ps -o sid= -p "$(pgrep -o -f pipeline-end-)" | tr -d " ")"';

describe.skipIf(reason !== undefined)('converge', () => {
  let hosts: TestHosts;
  let program: ReturnType<typeof bundleConverge>;
  const targets = new Map<string, SshTarget>();
  const connections = new Map<string, CountingConnection>();

  beforeAll(async () => {
    hosts = await startHosts({ names: ['rich', 'killed'], memory: 1024 * 2 ** 20 });
    program = bundleConverge();
    for (const machine of hosts.machines) {
      const target = await targetOf(machine, hosts.spec.directory);
      targets.set(machine.name, target);
      connections.set(machine.name, new CountingConnection(connect(target, quietContext())));
    }
  });
  afterAll(async () => {
    await Promise.all([...connections.values()].map((connection) => connection.close()));
    program?.remove();
    await hosts?.stop();
  });

  const host = (name: string): CountingConnection => {
    const found = connections.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  };
  const change = (resources: readonly Resource[], name = 'rich') =>
    converge(host(name), resources, quietContext());
  const changed = async (resources: readonly Resource[], name = 'rich') =>
    (await change(resources, name)).changes.map(({ action, id }) => `${action} ${id}`);
  const failure = (resources: readonly Resource[], name = 'rich'): Promise<Failure> =>
    change(resources, name).then(
      () => {
        throw new Error('it did not fail');
      },
      (error: Failure) => error,
    );
  const mainPid = (name: string) =>
    on(host(name), 'systemctl show --property=MainPID --value worker.service');

  it('makes a fresh host what it should be', async () => {
    const events: ProgressEvent[] = [];
    const context = quietContext({ progress: (event) => events.push(event) });
    const planned = await converge(host('rich'), RICH, context, { dryRun: true });
    const done = await converge(host('rich'), RICH, context);
    expect(done.changes).toEqual(planned.changes);
    expect(done.changes.map(({ id }) => id)).toHaveLength(RICH.length);
    expect(events.at(-1)).toMatchObject({
      state: 'done',
      count: { done: RICH.length, of: RICH.length },
    });
    expect(events.map(({ stage }) => stage)).toContain('setting up nginx');

    const rich = host('rich');
    expect(await on(rich, 'cat "/srv/worker/current"')).toBe("it's $HOME and `date`\n\ttab, no end");
    expect(await on(rich, 'stat -c "%a %U %G" /srv/worker /srv/worker/password')).toBe(
      '750 worker worker\n600 worker worker',
    );
    expect(await on(rich, 'id -nG worker')).toBe('worker adm www-data');
    expect(await on(rich, 'getent passwd ada worker | cut -d: -f6-7')).toBe(
      '/home/ada:/bin/bash\n/srv/worker:/usr/sbin/nologin',
    );
    expect(await on(rich, 'cat /srv/worker/count')).toBe('2');
    expect(
      await on(rich, "bash -c ': </dev/tcp/127.0.0.1/6379' 2>/dev/null && echo open || echo closed"),
    ).toBe('closed');
    expect((await fetch(`http://${rich.target.address}:8081/`).then((answer) => answer.text())).trim()).toBe(
      'first',
    );
    expect(await on(rich, 'systemctl is-enabled nginx worker pipeline-firewall')).toBe(
      'enabled\nenabled\nenabled',
    );
  });

  it('starts services only after their configuration is there, and once', async () => {
    expect(await on(host('rich'), 'journalctl -q -o cat -u nginx -u redis-server | grep -c ^Started')).toBe(
      '1',
    );
    expect(await on(host('rich'), 'ls /usr/sbin/policy-rc.d 2>&1 || true')).toContain('No such file');
  });

  it('changes nothing at a second run, in one round trip', async () => {
    const before = host('rich').runs;
    expect(await changed(RICH)).toEqual([]);
    expect(host('rich').runs - before).toBe(1);
  });

  it('shows drift as a difference, and mends it', async () => {
    const pid = await mainPid('rich');
    await on(
      host('rich'),
      `sed -i s/first/hacked/ /etc/nginx/nginx.conf; chmod 666 /srv/worker/password; chown root /srv/worker
       ln -sfn elsewhere /srv/worker/current; mkdir /var/www/html
       systemctl stop nginx; systemctl disable --quiet nginx
nft add rule inet pipeline input tcp dport 9999 accept
rm /srv/worker/count; echo 'more' >>"/srv/worker/über uns.txt"`,
    );
    const { changes } = await change(RICH);
    expect(Object.fromEntries(changes.map(({ id, action, diff }) => [`${action} ${id}`, diff]))).toEqual({
      'load firewall inet pipeline': [],
      'change directory /srv/worker': ['-owner root:worker', '+owner worker:worker'],
      'change file /srv/worker/über uns.txt': [
        " it's $HOME and `date`",
        '-\ttab, no endmore',
        '+\ttab, no end',
        '+(no line end)',
      ],
      'change file /srv/worker/password': ['-mode 0666', '+mode 0600'],
      'change link /srv/worker/current': ['-link to elsewhere', '+link to über uns.txt'],
      'delete file /var/www/html': ['-directory with everything in it'],
      'change file /etc/nginx/nginx.conf': [
        '   server {',
        '     listen 8081;',
        '-    location = / { return 200 "hacked\\n"; }',
        '+    location = / { return 200 "first\\n"; }',
        '     include /etc/nginx/extra/*.conf;',
        '   }',
      ],
      'start service nginx.service': [
        '-at boot disabled',
        '+at boot enabled',
        '-now stopped',
        '+now running',
      ],
      'run command count the words': ['+wc -w </srv/worker/password >/srv/worker/count'],
    });
    expect(await on(host('rich'), 'nft list table inet pipeline')).not.toContain('9999');
    expect(await mainPid('rich')).toBe(pid);
    expect(await changed(RICH)).toEqual([]);
  });

  it('restarts a service when it must, reloads it when that suffices, and else leaves it alone', async () => {
    const others = RICH.slice(0, -4);
    const pid = await mainPid('rich');
    expect(await changed([...others, ...worker('one', 'two')])).toEqual([
      'change file /etc/worker/reloadable',
      'reload service worker.service',
    ]);
    expect(await mainPid('rich')).toBe(pid);
    await delay(300);
    expect(await on(host('rich'), 'journalctl -q -o cat -u worker | grep -A1 ^two')).toBe('two\nreloaded');
    expect(await changed([...others, ...worker('two', 'two')])).toEqual([
      'change file /etc/worker/settings',
      'restart service worker.service',
    ]);
    expect(await mainPid('rich')).not.toBe(pid);
    await on(host('rich'), 'echo "# touched" >>/etc/systemd/system/worker.service');
    expect(await changed([...others, ...worker('two', 'two')])).toEqual([
      'change file /etc/systemd/system/worker.service',
      'restart service worker.service',
    ]);
    expect(await changed([...others, ...worker('two', 'two')])).toEqual([]);
    await change(RICH);
  });

  it('refuses an invalid configuration before it is put in place', async () => {
    const bad = RICH.map((resource) =>
      resource.kind === 'file' && resource.path === '/etc/nginx/nginx.conf'
        ? nginxConf(NGINX.replace('listen', 'lisen'))
        : resource,
    );
    const { message, output, next, step } = await failure(bad);
    expect(message).toBe('rich: step 1 of 2, file /etc/nginx/nginx.conf, failed (exit 65)');
    expect(step).toBe('file /etc/nginx/nginx.conf');
    expect(output.join('\n')).toContain('unknown directive "lisen"');
    expect(next).toContain('what stood there before still stands');
    expect(
      await on(host('rich'), 'cat /etc/nginx/nginx.conf; ls -A /etc/nginx | grep pipeline-new || true'),
    ).toBe(NGINX.trimEnd());
    expect((await fetch(`http://${host('rich').target.address}:8081/status`)).status).toBe(200);
  });

  it('takes firewall rules back that cut us off, and says so', async () => {
    const closed: Resource = {
      kind: 'firewall',
      table: 'inet pipeline',
      rules: FIREWALL.replace('{ 22, 8081 }', '{ 8081 }'),
    };
    const before = await on(host('rich'), 'nft list table inet pipeline');
    const { message, next } = await failure([closed]);
    expect(message).toBe('rich: step 1 of 1, firewall inet pipeline, failed (exit 77)');
    expect(next).toContain('so the host took them back');
    expect(await on(host('rich'), 'nft list table inet pipeline')).toBe(before);
    expect(await on(host('rich'), 'cat /etc/pipeline/firewall/inet-pipeline.nft')).toContain(
      'dport { 22, 8081 }',
    );
    expect(await changed(RICH.slice(0, 1))).toEqual([]);
  });

  it('takes them back also where they cut the connection that stands', { timeout: 120_000 }, async () => {
    const nothing: Resource = {
      kind: 'firewall',
      table: 'inet pipeline',
      rules: '  chain input {\n    type filter hook input priority filter\n    policy drop\n  }\n',
    };
    const { message } = await failure([nothing]);
    expect(message).toContain('firewall inet pipeline, failed');
    await host('rich').close();
    expect(await changed(RICH.slice(0, 1))).toEqual([]);
  });

  it('names a package that does not exist', async () => {
    const { message, output, next } = await failure([
      { kind: 'package', name: 'sqlite3' },
      { kind: 'package', name: 'no-such-package' },
    ]);
    expect(message).toBe('rich: step 2 of 2, package no-such-package, failed (apt-get exit 100)');
    expect(output).toEqual(['E: Unable to locate package no-such-package']);
    expect(next).toContain('No package source of the host has no-such-package');
  });

  it('says how much room a full disk has', async () => {
    const rich = host('rich');
    await on(
      rich,
      'mount -t tmpfs -o size=100k none /var/cache/apt/archives && mkdir /var/cache/apt/archives/partial',
    );
    try {
      const { output, next } = await failure([{ kind: 'package', name: 'sqlite3' }]);
      expect(output.join('\n')).toMatch(/enough free space|No space left/);
      expect(next).toMatch(/^The host has \d+ k?B free of 10\d kB\. Make room/);
    } finally {
      await on(rich, 'umount /var/cache/apt/archives');
    }
    expect(await changed([{ kind: 'package', name: 'sqlite3' }])).toEqual(['install package sqlite3']);
  });

  it('does not believe a service that ends after its start', async () => {
    const unit = '[Service]\nExecStart=/bin/sh -c "echo I need a database; exit 3"\n';
    const { message, output } = await failure([
      { kind: 'file', path: '/etc/systemd/system/brief.service', content: unit },
      { kind: 'service', unit: 'brief.service' },
    ]);
    expect(message).toContain('start service brief.service');
    expect(output.join('\n')).toContain('I need a database');
  });

  it('shows the journal of a service that does not start', async () => {
    const unit = '[Service]\nType=notify\nExecStart=/bin/sh -c "echo no licence; exit 3"\n';
    const { message, output, next } = await failure([
      { kind: 'file', path: '/etc/systemd/system/never.service', content: unit },
      { kind: 'service', unit: 'never.service' },
    ]);
    expect(message).toBe('rich: step 2 of 2, service never.service, failed (systemctl exit 1)');
    expect(output.join('\n')).toContain('no licence');
    expect(next).toContain('journalctl -u never.service');
  });

  it('lets one run at a time change a host', async () => {
    const slow = (name: string): Resource => ({
      kind: 'command',
      name,
      unless: `test -e /tmp/${name}`,
      run: `test ! -e /tmp/busy; touch /tmp/busy; sleep 1; rm /tmp/busy; touch /tmp/${name}`,
    });
    expect(await Promise.all([changed([slow('a')]), changed([slow('b')])])).toEqual([
      ['run command a'],
      ['run command b'],
    ]);
  });

  describe('killed', () => {
    const converged = async (resources: readonly Resource[]) => {
      await change(resources, 'killed');
      expect(await changed(resources, 'killed')).toEqual([]);
    };

    it('between a changed file and the restart, restarts at the next run', async () => {
      await converged(worker('one', 'one'));
      const pid = await mainPid('killed');
      const [settings, ...rest] = worker('two', 'one');
      const slow: Resource = {
        kind: 'command',
        name: 'wait',
        unless: 'test -e /tmp/waited',
        run: 'sleep 2; touch /tmp/waited',
      };
      const resources = [...(settings === undefined ? [] : [settings]), slow, ...rest];
      const run = startConverge(program.path, target('killed'), resources);
      await run.stage('running wait');
      run.kill();
      await on(host('killed'), KILL_OLDEST_RUN);
      await run.ended;
      expect(await on(host('killed'), 'cat /etc/worker/settings')).toBe('two');
      expect(await mainPid('killed')).toBe(pid);
      expect(await changed(resources, 'killed')).toEqual([
        'run command wait',
        'restart service worker.service',
      ]);
      expect(await mainPid('killed')).not.toBe(pid);
    });

    it('by a lost connection, finishes the step that runs and begins no later one', async () => {
      const slow = (name: string): Resource => ({
        kind: 'command',
        name,
        unless: `test -e /tmp/${name}`,
        run: `for i in {1..20}; do echo ${name}; sleep 0.1; done; touch /tmp/${name}`,
      });
      const resources = [slow('first'), slow('second'), slow('third')];
      const run = startConverge(program.path, target('killed'), resources);
      await run.stage('running first');
      run.kill();
      await run.ended;
      await delay(3_000);
      expect(await on(host('killed'), 'ls /tmp/{first,second,third} 2>/dev/null || true')).toBe('/tmp/first');
      expect(await changed(resources, 'killed')).toEqual(['run command second', 'run command third']);
    });

    it('at any moment of an installation, finishes it at the next run', async () => {
      const run = startConverge(program.path, target('killed'), RICH);
      await run.stage('unpacking');
      run.kill();
      await run.ended;
      await converged(RICH);
    });

    it('with apt and dpkg killed on the host, repairs the packages at the next run', async () => {
      const resources: readonly Resource[] = [
        { kind: 'package', name: 'mariadb-server' },
        { kind: 'service', unit: 'mariadb.service', enabled: true },
      ];
      for (const moment of ['unpacking', 'setting up']) {
        const run = startConverge(program.path, target('killed'), resources);
        await run.stage(moment);
        run.kill();
        await on(host('killed'), 'pkill -9 dpkg; pkill -9 apt-get; true');
        await run.ended;
      }
      await converged(resources);
      expect(await on(host('killed'), 'dpkg --audit; mariadb -e "SELECT 1+1" | tail -1')).toBe('2');
    });

    it('between unpacking and configuring, configures at the next run', async () => {
      const killed = host('killed');
      await on(killed, 'cd /tmp && apt-get -q download cowsay && dpkg --force-depends --unpack cowsay_*.deb');
      expect(await changed([{ kind: 'package', name: 'cowsay' }], 'killed')).toEqual([
        'repair packages',
        'repair package cowsay',
      ]);
      expect(await on(killed, 'dpkg --audit; /usr/games/cowsay -l | head -1')).toContain('Cow files');
    });

    it('by the machine’s power, converges after its reboot', async () => {
      const run = startConverge(program.path, target('killed'), [
        ...RICH,
        { kind: 'package', name: 'tomcat10' },
      ]);
      await run.stage('unpacking');
      await host('killed')
        .script('systemctl --force --force reboot', { label: 'reboot' })
        .catch(() => undefined);
      await run.ended;
      await host('killed').close();
      await expect
        .poll(() => on(host('killed'), 'systemctl is-system-running --wait').catch(() => ''), {
          timeout: 60_000,
        })
        .not.toBe('');
      expect(await on(host('killed'), 'nft list tables')).toContain('inet pipeline');
      await converged([...RICH, { kind: 'package', name: 'tomcat10' }]);
    });
  });

  const target = (name: string): SshTarget => host(name).target;
});
