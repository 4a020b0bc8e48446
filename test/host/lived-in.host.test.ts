/**
 * Hosts as people have them: prepared by hand, then `prod plan -i`, `prod up -i` and `deploy -i`. Promise 15.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { writeInventory } from '../../src/inventory/write.ts';
import { rolesFor } from '../../src/roles/index.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { run, runJson } from '../support/program.ts';
import { on } from './support.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/host/lived-in.host.test.ts skipped: ${reason}\n`);

/**
 * As on a machine that somebody set up years ago: sites, another port for SSH, a shell that talks, firewalld,
 * no IPv6.
 */
const WEB = `export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y nginx-light fail2ban rsyslog >/dev/null
mkdir -p /srv/blog && echo 'the blog' >/srv/blog/index.html
cat >/etc/nginx/sites-available/blog <<'END'
server {
  listen 80 default_server;
  server_name blog.example.org;
  root /srv/blog;
}
END
ln -s /etc/nginx/sites-available/blog /etc/nginx/sites-enabled/blog
rm /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/own.conf <<'END'
server_tokens off;
gzip_types text/css;
server { listen 8080; location / { return 200 "eighty-eighty\\n"; } }
END
sed -i 's/worker_connections .*/worker_connections 1234;/' /etc/nginx/nginx.conf && systemctl restart nginx
printf 'echo Welcome\\necho "disk almost full" >&2\\nprintf no-line-end\\n' >/root/.bashrc
printf '[sshd]\\nenabled = true\\nbackend = systemd\\nport = 2222\\n' >/etc/fail2ban/jail.d/own.conf
systemctl restart fail2ban
echo 'Port 2222' >/etc/ssh/sshd_config.d/own.conf && systemctl restart ssh
echo 'net.ipv6.conf.all.disable_ipv6 = 1' >/etc/sysctl.d/own.conf && sysctl -qp /etc/sysctl.d/own.conf
apt-get -qq install -y firewalld >/dev/null
sed -i 's/^IPv6_rpfilter=.*/IPv6_rpfilter=no/' /etc/firewalld/firewalld.conf
systemctl restart firewalld && firewall-cmd -q --permanent --add-service=http &&
  firewall-cmd -q --permanent --add-port=2222/tcp && firewall-cmd -q --reload &&
  firewall-cmd --query-port=2222/tcp`;

/** Databases with data and settings of one's own. */
const DATA = `export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y mariadb-server redis-server ufw >/dev/null
mariadb -e "CREATE DATABASE orders; CREATE TABLE orders.all_of_them (n INT);
  INSERT INTO orders.all_of_them VALUES (42)"
printf '[mysqld]\\nmax_connections = 77\\n' >/etc/mysql/mariadb.conf.d/99-own.cnf && systemctl restart mariadb
redis-cli SET answer 42 >/dev/null && redis-cli SAVE >/dev/null
sed -i 's/^# *maxmemory .*/maxmemory 33mb/; $a maxmemory 33mb' /etc/redis/redis.conf
systemctl restart redis-server
ufw --force reset >/dev/null && ufw allow 22/tcp >/dev/null && ufw --force enable >/dev/null`;

const YAML = `project: lived-in
hosts:
  web: { roles: [nginx] }
  data: { roles: [mariadb, redis] }
apps:
  page:
    source: repository
    runtime: static
    hosts: [web]
    site: { domains: [page.example.org] }
`;

describe.skipIf(reason !== undefined)(`hosts that people have (${reason ?? 'local'})`, () => {
  let hosts: TestHosts;
  const at: Record<string, Connection> = {};
  const ports: Record<string, number> = { web: 2222, data: 22 };
  const own = ['-i', 'own.ini'];
  const here = () => ({ cwd: hosts.spec.directory });
  const host = (name: string): Connection => {
    const found = at[name];
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  };
  const get = (name: string, port: number, domain: string) =>
    execFileSync(
      'curl',
      ['-s', '-m', '5', '-H', `Host: ${domain}`, `http://${hosts.machine(name).address}:${port}/`],
      {
        encoding: 'utf8',
      },
    );
  /** Everything that a command must not touch before somebody says yes. */
  const everything = (name: string) =>
    on(
      host(name),
      "{ find /etc /srv -xdev -type f -not -name '*.lock' -exec sha256sum {} + | sort; " +
        "dpkg-query -W; nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'; } | sha256sum",
    );

  beforeAll(async () => {
    hosts = await startHosts({ names: ['web', 'data'], memory: 768 * 2 ** 20 });
    const { directory } = hosts.spec;
    const knownHostsFile = join(directory, 'known_hosts');
    const keys = hosts.machines.map(({ name, address, hostKeys }) =>
      [22, ports[name] ?? 22].map((port) => ({ address, port, keys: hostKeys })),
    );
    await writeKnownHosts(knownHostsFile, keys.flat());
    const prepare = async (name: string, script: string) => {
      const target = { ...hosts.machine(name), knownHostsFile };
      const first = connect(target, quietContext());
      await first.check(script, { label: 'prepare by hand' });
      await first.close();
      at[name] = connect({ ...target, port: ports[name] ?? 22 }, quietContext());
    };
    await Promise.all([prepare('web', WEB), prepare('data', DATA)]);
    writeFileSync(join(directory, 'pipeline.yml'), YAML);
    await writeInventory(join(directory, 'own.ini'), {
      hosts: hosts.machines.map((machine) => ({
        ...machine,
        port: ports[machine.name] ?? 22,
        knownHostsFile,
      })),
    });
    const repository = join(directory, 'repository');
    mkdirSync(repository);
    writeFileSync(join(repository, 'index.html'), 'the page\n');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], {
        cwd: repository,
      });
    git('init', '-q', '-b', 'main');
    git('add', '--all');
    git('commit', '-q', '-m', 'The page');
  });
  afterAll(async () => {
    for (const connection of Object.values(at)) await connection.close();
    await hosts?.stop();
  });

  it('are not touched by a plan, which says what of theirs it concerns', async () => {
    const before = await Promise.all(['web', 'data'].map(everything));
    const { json, exitCode, stderr } = await runJson(['prod', 'plan', ...own], here());
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    expect(json).toMatchObject({
      provider: null,
      cost: null,
      inventory: join(hosts.spec.directory, 'own.ini'),
    });
    const { theirs, changed } = json as {
      changed: number;
      theirs: { host: string; step: string; fate: string; found: string[] }[];
    };
    expect(changed).toBeGreaterThan(10);
    const said = theirs.map(
      ({ host: name, step, fate, found }) => `${name} ${fate} ${step}: ${found.join(', ')}`,
    );
    expect(said).toContainEqual(expect.stringMatching(/^web ask theirs open ports: 8080\/tcp \(nginx\)$/));
    expect(said).toContainEqual(
      expect.stringMatching(/^data keep theirs MariaDB of before: database orders/),
    );
    expect(said).toContain('data keep theirs other firewalls: ufw');
    expect(said).toContain('web keep theirs other firewalls: firewalld');
    expect(said).toContainEqual(expect.stringMatching(/^data keep theirs Redis of before: .*dump.rdb/));
    expect(await Promise.all(['web', 'data'].map(everything))).toEqual(before);
  });

  it('are not touched where nobody is there to say yes', async () => {
    const before = await Promise.all(['web', 'data'].map(everything));
    const up = await run(['prod', 'up', ...own], here());
    expect(up.exitCode).toBe(2);
    expect(up.stdout + up.stderr).toContain('this needs a yes, and there is no terminal to ask on');
    expect(up.stdout).toContain('8080/tcp (nginx)');
    const deploy = await run(['deploy', 'page', ...own], here());
    expect(deploy.exitCode).toBe(2);
    expect(deploy.stdout).toContain('Pipeline never changed web. It would, first:');
    expect(deploy.stdout).toContain('/etc/nginx/nginx.conf');
    expect(await Promise.all(['web', 'data'].map(everything))).toEqual(before);
  });

  it('go on serving what they served, with everything that pipeline needs beside it', async () => {
    const up = await run(['prod', 'up', ...own, '--yes'], here());
    expect(up.stdout + up.stderr).toContain('Ready in');
    expect(up.exitCode).toBe(0);
    expect(get('web', 80, 'blog.example.org')).toBe('the blog\n');
    // The firewall closes it, as the plan said; the site itself is there.
    expect(await on(host('web'), 'curl -s http://localhost:8080/')).toBe('eighty-eighty');
    // What was written by hand is there to be read.
    expect(await on(host('web'), 'grep -c 1234 /var/lib/pipeline/theirs/etc/nginx/nginx.conf')).toBe('1');
    expect(await on(host('web'), 'fail2ban-client ping')).toContain('pong');
    expect(
      await on(host('data'), 'mariadb -N -e "SELECT n FROM orders.all_of_them; SELECT @@max_connections"'),
    ).toBe('42\n77');
    expect(await on(host('data'), 'redis-cli GET answer; redis-cli CONFIG GET maxmemory | tail -1')).toBe(
      `42\n${33 * 2 ** 20}`,
    );
    expect(await on(host('data'), 'ufw status | head -1')).toBe('Status: active');
    expect(await on(host('web'), 'firewall-cmd --list-ports')).toBe('2222/tcp');
    // Both firewalls are asked, also when firewalld reads its rules again.
    await host('web').check('firewall-cmd --quiet --reload', { label: 'reload firewalld' });
    expect(get('web', 80, 'blog.example.org')).toBe('the blog\n');
    expect(await on(host('web'), 'nft list tables | sort')).toMatch(/inet firewalld\n(.*\n)*.*inet pipeline/);
    const again = await runJson(['prod', 'up', ...own], here());
    expect([again.exitCode, again.json]).toEqual([0, expect.objectContaining({ changed: 0 })]);
  });

  it('let instances with a network of their own out, where Docker drops what it does not know', async () => {
    // As Docker leaves it: https://docs.docker.com/engine/network/packet-filtering-firewalls/
    const docker = `apt-get -qq install -y iptables >/dev/null; iptables -P FORWARD DROP
iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -I FORWARD -j DOCKER-USER`;
    await host('data').check(docker, { label: 'as Docker does' });
    const params = { fleet: [], operators: [], sshPorts: [], exposures: [] };
    await converge(host('data'), rolesFor('node-service', params), quietContext());
    const settings = 'NAMESPACE=try\\nLINK=pln9\\nGATEWAY=198.18.9.1\\nADDRESS=198.18.9.2\\n';
    await host('data').check(`printf '${settings}' >/etc/pipeline/networks/try`, { label: 'settings' });
    const { address } = hosts.machine('web');
    const reach = `ip netns exec try curl -sm 5 -H 'Host: blog.example.org' http://${address}/`;
    await host('data').check('systemctl start pipeline-network@try', { label: 'network' });
    expect(await on(host('data'), reach)).toBe('the blog');
    // Once more changes nothing, and without the rules nothing gets out.
    const rules = () => on(host('data'), 'iptables -S DOCKER-USER');
    const before = await rules();
    await host('data').check('systemctl restart pipeline-network@try', { label: 'network' });
    expect(await rules()).toBe(before);
    await host('data').check('iptables -F DOCKER-USER', { label: 'without the rules' });
    expect(await on(host('data'), `${reach} || echo closed`)).toBe('closed');
  });

  it('let them out where firewalld drops what it does not know', async () => {
    const params = { fleet: [], operators: [], sshPorts: [2222], exposures: [] };
    await converge(host('web'), rolesFor('node-service', params), quietContext());
    const settings = 'NAMESPACE=try\\nLINK=pln9\\nGATEWAY=198.18.9.1\\nADDRESS=198.18.9.2\\n';
    await host('web').check(`printf '${settings}' >/etc/pipeline/networks/try`, { label: 'settings' });
    await host('web').check('systemctl start pipeline-network@try', { label: 'network' });
    const reach = `ip netns exec try timeout 5 bash -c ': </dev/tcp/${hosts.machine('data').address}/22'`;
    expect(await on(host('web'), `${reach} && echo open || echo closed`)).toBe('open');
  });

  it('serve an application beside the sites of before', async () => {
    const deploy = await run(['deploy', 'page', ...own], here());
    expect([deploy.exitCode, deploy.stderr]).toEqual([0, expect.anything()]);
    expect(get('web', 80, 'page.example.org')).toBe('the page\n');
    expect(get('web', 80, 'blog.example.org')).toBe('the blog\n');
    expect(get('web', 80, 'unknown.example.org')).toBe('the blog\n');
  });
});
