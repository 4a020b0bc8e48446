/**
 * Backups of an application with MariaDB, as a user has them: one host serves, another one stores. Then the
 * first one is lost.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { type Ended, projectFolder, run, runJson, start } from '../support/program.ts';
import { nodeRepository } from '../support/repository.ts';

const unavailable = hostsUnavailable();

/** Counts its rows through MariaDB's own client, and keeps a file. */
const SERVICE = `const http = require('http');
const fs = require('fs');
const { execFileSync } = require('child_process');
const { MAIN_HOST, MAIN_PORT, MAIN_USER, MAIN_PASSWORD, MAIN_DATABASE, HOME, PORT } = process.env;
const sql = (text) => execFileSync('mariadb', ['--protocol=tcp', '-h', MAIN_HOST, '-P', MAIN_PORT, '-u',
  MAIN_USER, '--skip-column-names', MAIN_DATABASE, '-e', text], { env: { ...process.env, MYSQL_PWD: MAIN_PASSWORD } });
http.createServer((request, response) => {
  try {
    if (request.url === '/rows') return response.end(sql('SELECT COUNT(*) FROM orders').toString().trim());
    if (request.url === '/keep') fs.writeFileSync(HOME + '/kept', 'kept by the service');
    if (request.url === '/kept') return response.end(fs.readFileSync(HOME + '/kept'));
    if (request.url === '/secret') return response.end(process.env.KEY);
    response.end('well');
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
`;

const configuration = (more = '') => `
project: backups
id: b4c2a9e1f703
hosts:
  web: { roles: [nginx], memory: 768M }
  store: { memory: 256M }
apps:
  shop:
    source: ./shop
    hosts: [web]
    node: "${process.versions.node}"
    watch: 0s
    secrets: { KEY: { generate: 24 } }
    databases: { main: { engine: mariadb, name: shop_x, backups: 0 } }
    health: { path: /, status: 200, within: 20s }
${more}`;

describe.skipIf(unavailable !== undefined)(`backups (${unavailable ?? 'local hosts'})`, () => {
  const project = projectFolder(configuration());
  const here = { cwd: project.path, env: { MYSQL_PWD: '' } };
  let address = '';

  const good = async (...args: string[]): Promise<Ended> => {
    const ended = await run(args, here);
    if (ended.exitCode !== 0) throw new Error(`${args.join(' ')}: ${ended.exitCode}\n${ended.stdout}`);
    return ended;
  };
  const json = async <T>(...args: string[]): Promise<T> => (await runJson(args, here)).json as T;
  const on = async (host: string, script: string) => (await good('prod', 'ssh', host, '--', script)).stdout;
  const sql = (text: string) => on('web', `echo "${text}" | mariadb --skip-column-names shop_x`);
  const ask = async (path: string) =>
    (await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(10_000) })).text();
  const addresses = async () => {
    const { hosts } = await json<{ hosts: { name: string; address: string }[] }>('prod', 'status');
    return Object.fromEntries(hosts.map((one) => [one.name, one.address]));
  };
  /** The whole database as text. */
  const hash = () => on('web', 'mariadb-dump --skip-comments --hex-blob shop_x | sha256sum');
  const backups = async () =>
    (await json<{ backups: { id: string; item: string; before: boolean }[] }>('backup', 'list')).backups;

  const status = async () => {
    const { hosts } = await json<{
      hosts: { name: string; apps: { app: string; commit: string; healthy: boolean }[] }[];
    }>('prod', 'status');
    return hosts.find(({ name }) => name === 'web')?.apps ?? [];
  };

  beforeAll(async () => {
    nodeRepository(join(project.path, 'shop'), SERVICE);
    await good('prod', 'up');
    const known = await addresses();
    address = known.web ?? '';
    // What somebody does by hand on a server of their own.
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(project.path, 'key')]);
    const key = readFileSync(join(project.path, 'key.pub'), 'utf8').trim();
    const hostKey = await on(
      'store',
      `mkdir -p /srv/backups && echo '${key}' >>/root/.ssh/authorized_keys && cat ` +
        '/etc/ssh/ssh_host_ed25519_key.pub',
    );
    writeFileSync(
      join(project.path, 'pipeline.yml'),
      configuration(`backups:
  to: sftp:root@${known.store}:/srv/backups
  every: 1d
  credentials: { command: cat key }
  host_key: ${hostKey.trim().split(' ').slice(0, 2).join(' ')}
`),
    );
    await good('prod', 'up');
    await good('deploy', 'shop');
    await sql('CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(200), data BLOB)');
    await sql(
      "INSERT INTO orders (what, data) SELECT CONCAT('order ', seq), SHA2(seq, 512) FROM seq_1_to_20000",
    );
    await sql('CREATE TABLE log (n INT); CREATE VIEW many AS SELECT COUNT(*) AS n FROM orders');
    await ask('/keep');
  });
  afterAll(() => project.remove());

  test('a second up changes nothing, and secrets lie in files for root alone', async () => {
    expect((await good('prod', 'up')).stdout).toContain('Nothing to change');
    const modes = await on('web', "stat -c '%a %U %n' /etc/pipeline/backup /etc/pipeline/backup/*");
    expect(modes.trim().split('\n').sort()).toEqual(
      [
        '600 root /etc/pipeline/backup/key',
        '600 root /etc/pipeline/backup/known_hosts',
        '600 root /etc/pipeline/backup/password',
        '600 root /etc/pipeline/backup/plan.json',
        '700 root /etc/pipeline/backup',
      ].sort(),
    );
    expect(await on('web', 'systemctl is-active pipeline-backup.timer pipeline-backup.path')).toBe(
      'active\nactive\n',
    );
  });

  test('backs up everything, lists it, and it comes back on trial', async () => {
    await good('backup', 'now');
    const items = (await backups()).map(({ item }) => item);
    expect(items).toEqual(expect.arrayContaining(['shop/main', 'shop/state', 'host']));
    const { stdout } = await good('backup', 'verify', 'shop');
    expect(stdout).toMatch(/web\s+shop\/main\s+.* comes back: 2 tables, 20000 rows/);
    // Nothing of the trial is left, and nothing is readable in the storage.
    expect(await on('web', 'echo "SHOW DATABASES" | mariadb --skip-column-names')).not.toContain('pipeline');
    expect(await on('store', 'grep -rl "order 1" /srv/backups || echo nothing')).toBe('nothing\n');
  });

  test('waits for a release on the host, whose migration it would hold up', async () => {
    const release =
      'flock /run/pipeline/release-shop.lock sh -c "echo held; sleep 6; date +%s%3N >/tmp/released"';
    const held = start(['prod', 'ssh', 'web', '--', release], here);
    await once(held.process.stdout ?? held.process, 'data');
    await good('backup', 'now', 'shop');
    await held.ended;
    const made = (await json<{ backups: { item: string; at: string }[] }>('backup', 'list')).backups.find(
      ({ item }) => item === 'shop/main',
    );
    expect(Date.parse(made?.at ?? '')).toBeGreaterThan(Number(await on('web', 'cat /tmp/released')));
  });

  test('comes back byte by byte, and what was there is kept', async () => {
    const before = await hash();
    await sql("UPDATE orders SET what = 'lost'; DROP TABLE log; CREATE TABLE later (n INT)");
    const changed = await hash();
    await on('web', 'rm /var/lib/pipeline-apps/shop/kept');
    const seen = new Set<number>();
    const visitor = new AbortController();
    const visits = (async () => {
      while (!visitor.signal.aborted) {
        seen.add((await fetch(`http://${address}/`, { signal: AbortSignal.timeout(10_000) })).status);
        await sleep(20);
      }
    })();
    const { stdout } = await good('restore', 'shop', '--yes');
    visitor.abort();
    await visits;
    // The page of maintenance while data change places, and nothing worse.
    expect([...seen].sort()).toEqual([200, 503]);
    expect(stdout).toMatch(
      /The database main of shop goes back to .* UTC: .* in the last \d+ minutes? is lost/,
    );
    expect(await hash()).toBe(before);
    expect(await ask('/rows')).toBe('20000');
    expect(await ask('/kept')).toBe('kept by the service');
    const kept = (await backups()).find(({ item, before: is }) => is && item === 'shop/main');
    await good('restore', 'shop', 'main', kept?.id ?? '', '--yes');
    expect(await hash()).toBe(changed);
    await good('restore', 'shop', 'main', '--yes');
    expect(await hash()).toBe(before);
  });

  test('into a new database, and nothing is replaced', async () => {
    await sql('INSERT INTO log VALUES (7)');
    // From another checkout, which has pipeline.yml and the inventory, and knows no secret.
    const elsewhere = projectFolder(readFileSync(join(project.path, 'pipeline.yml'), 'utf8'));
    const inventory = ['-i', join(project.path, 'inventory.ini')];
    const other = await run(['restore', 'shop', 'main', '--into', 'shop_before', ...inventory], {
      ...here,
      cwd: elsewhere.path,
    });
    rmSync(elsewhere.path, { recursive: true });
    expect(other).toMatchObject({ exitCode: 0 });
    expect(
      await on('web', 'echo "SELECT COUNT(*) FROM orders" | mariadb --skip-column-names shop_before'),
    ).toBe('20000\n');
    expect(await sql('SELECT n FROM log')).toBe('7\n');
    const again = await run(['restore', 'shop', 'main', '--into', 'shop_before'], here);
    expect(again).toMatchObject({ exitCode: 2 });
    expect(again.stdout).toContain('there is a database shop_before already');
    await on('web', 'echo "DROP DATABASE shop_before" | mariadb');
    await sql('DELETE FROM log');
  });

  test('without a yes nothing happens', async () => {
    const before = await hash();
    const asked = await run(['restore', 'shop'], here);
    expect(asked).toMatchObject({ exitCode: 2 });
    expect(asked.stdout).toContain('--yes');
    expect(await hash()).toBe(before);
  });

  test.each([3, 5])('a restore that is killed after %s s is finished by the next one', async (after) => {
    const before = await hash();
    await sql("UPDATE orders SET what = 'lost'");
    // As one leaves it that was killed while the application stood still.
    await on('web', 'touch /etc/pipeline/apps/shop/stopped');
    const refused = await run(['deploy', 'shop'], here);
    expect(refused).toMatchObject({ exitCode: 4 });
    expect(refused.stdout).toContain('pipeline restore shop');
    const first = start(['restore', 'shop', 'main', '--yes'], here);
    await sleep(after * 1000);
    first.process.kill('SIGKILL');
    await first.ended;
    await good('restore', 'shop', 'main', '--yes', '--wait');
    expect(await hash()).toBe(before);
    expect(await ask('/rows')).toBe('20000');
  });

  test('a storage that is full or gone: said, the old backups stay, and the next one succeeds', async () => {
    const ids = async () => (await backups()).map(({ id }) => id);
    const before = await ids();
    await on(
      'store',
      `mkdir /srv/small && mount -t tmpfs -o size=2m none /srv/small && mv /srv/backups /srv/full &&
cp -a /srv/full/. /srv/small/ 2>/dev/null; mkdir /srv/backups && mount --bind /srv/small /srv/backups
head -c 4M /dev/urandom >/srv/small/ballast 2>/dev/null; true`,
    );
    await sql("INSERT INTO orders (what, data) SELECT 'more', RANDOM_BYTES(500) FROM seq_1_to_10000");
    const full = await run(['backup', 'now', 'shop'], here);
    expect(full).toMatchObject({ exitCode: 3 });
    expect(full.stdout).toMatch(
      /web: the storage of backups, sftp:.*, (did not take the backup|cannot be used)/,
    );
    await on('store', 'umount /srv/backups && umount /srv/small');
    // An empty folder where the storage was mounted is not taken for it.
    const gone = await run(['backup', 'now', 'shop'], here);
    expect(gone).toMatchObject({ exitCode: 3 });
    expect(gone.stdout).toContain('cannot be used');
    expect(await on('store', 'ls /srv/backups')).toBe('');
    const status = JSON.parse(await on('web', 'cat /var/lib/pipeline/backup/status.json'));
    expect(status.items[0]).toMatchObject({
      item: 'shop/main',
      error: expect.stringContaining('cannot be used'),
    });
    await on('store', 'rmdir /srv/backups && mv /srv/full /srv/backups');
    expect(await ids()).toEqual(before);
    await good('backup', 'now', 'shop');
    // Older ones of the same day may have gone with it.
    expect(before).not.toContain((await ids())[0]);
  });

  describe('a lost host', () => {
    test('destroyed in the middle of traffic, it serves again with its data, at the release that served', async () => {
      await good('backup', 'now');
      const [before, secret, was] = [await hash(), await ask('/secret'), await status()];
      let [asked, lostAt, backAt] = [0, 0, 0];
      const visitor = new AbortController();
      const traffic = (async () => {
        while (!visitor.signal.aborted) {
          const rows = await ask('/rows').catch(() => undefined);
          asked++;
          if (rows === undefined) lostAt ||= Date.now();
          else if (lostAt > 0 && /^\d+$/.test(rows)) backAt ||= Date.now();
          await sleep(100);
        }
      })();
      await run(['prod', 'ssh', 'web', '--', 'poweroff -f'], here);
      const { stdout } = await good('prod', 'replace', 'web', '--yes');
      await sleep(500);
      visitor.abort();
      await traffic;
      expect(stdout).toMatch(
        /web is made anew, and what was written there in the last \d+ minutes? is lost\./,
      );
      expect(asked).toBeGreaterThan(5);
      expect(backAt).toBeGreaterThan(lostAt);
      process.stderr.write(`host killed to host serving with data: ${(backAt - lostAt) / 1000} s\n`);
      expect(await hash()).toBe(before);
      expect(await ask('/secret')).toBe(secret);
      expect(await ask('/kept')).toBe('kept by the service');
      await ask('/keep');
      expect(await status()).toMatchObject([{ app: 'shop', commit: was[0]?.commit, healthy: true }]);
      expect((await good('prod', 'up')).stdout).toContain('Nothing to change');
    });

    test.each([15])(
      'a replacement that is killed after %s s is finished by the next one',
      async (seconds) => {
        await good('backup', 'now');
        const [before, secret] = [await hash(), await ask('/secret')];
        const first = start(['prod', 'replace', 'web', '--yes'], here);
        await sleep(seconds * 1000);
        first.process.kill('SIGKILL');
        await first.ended;
        await good('prod', 'replace', 'web', '--yes', '--wait');
        expect(await hash()).toBe(before);
        expect(await ask('/secret')).toBe(secret);
        expect(await ask('/rows')).toMatch(/^\d+$/);
      },
    );
  });
});
