// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such names are what is tested
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();
/** FerretDB 1.x; no registry that a test may ask carries it. */
const FERRETDB = process.env.PIPELINE_TEST_FERRETDB;
const noFerretdb =
  FERRETDB !== undefined && existsSync(FERRETDB)
    ? undefined
    : 'PIPELINE_TEST_FERRETDB=/path/to/ferretdb-1.x would enable it';
if (noFerretdb !== undefined)
  process.stderr.write(`test/release/database.host.test.ts: ferretdb skipped: ${noFerretdb}\n`);

describe.skipIf(unavailable !== undefined)(`databases on a real host (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;

  beforeAll(async () => {
    at = await startReleases(['web']);
  });
  afterAll(() => at?.stop());

  const environment = async () => JSON.parse((await at.ask('/env')).text) as Record<string, string>;

  describe('mariadb', () => {
    const shop = { main: { engine: 'mariadb' as const, name: 'shop_x', backups: 2 } };
    const env = {
      DATABASE_URL: 'mysql://${MAIN_USER}:${MAIN_PASSWORD}@${MAIN_HOST}:${MAIN_PORT}/${MAIN_DATABASE}',
    };
    const app = { databases: shop, env };
    /** A statement as the application itself, with what it was told. */
    const sql = async (statement: string) => {
      const { MAIN_HOST, MAIN_PORT, MAIN_USER, MAIN_PASSWORD, MAIN_DATABASE } = await environment();
      return at.on(
        `printf '%s' "${statement}" | MYSQL_PWD=${MAIN_PASSWORD} mariadb --protocol=tcp -h ${MAIN_HOST} \\
  -P ${MAIN_PORT} -u ${MAIN_USER} --skip-column-names ${MAIN_DATABASE} 2>&1`,
      );
    };
    const backups = async () =>
      (await at.on(`ls -1 /var/lib/pipeline/backups/${APP}/main 2>/dev/null || true`))
        .trim()
        .split('\n')
        .filter((one) => one !== '');

    test('a host without one gets server, database, user and password with the deploy', async () => {
      expect(await at.deploy('one', app)).toMatchObject({ changed: true });
      const told = await environment();
      expect(told).toMatchObject({ MAIN_HOST: '127.0.0.1', MAIN_PORT: '3306', MAIN_USER: 'shop_x' });
      expect(told.MAIN_PASSWORD).toMatch(/^[A-Za-z0-9]{32}$/);
      expect(told.DATABASE_URL).toBe(`mysql://shop_x:${told.MAIN_PASSWORD}@127.0.0.1:3306/shop_x`);
      expect(await sql('CREATE TABLE t (n INT); INSERT INTO t VALUES (7); SELECT n FROM t')).toBe('7\n');
      // Its own database, and no other: `_` is no wildcard.
      expect(
        await at.on(
          'echo "CREATE DATABASE IF NOT EXISTS shopax; CREATE DATABASE IF NOT EXISTS other" | mariadb',
        ),
      ).toBe('');
      expect((await sql('SHOW DATABASES')).trim().split('\n').sort()).toEqual([
        'information_schema',
        'shop_x',
      ]);
      expect(await at.on(`stat -c '%a %U' /etc/pipeline/apps/${APP}/secrets/MAIN_PASSWORD`)).toBe(
        '600 root\n',
      );
      expect(await at.on("ss -Hltn 'sport = :3306' | awk '{print $4}'")).toBe('127.0.0.1:3306\n');
      expect(await backups()).toEqual([]);
    });

    test('the same again changes nothing, and backs nothing up', async () => {
      expect(await at.deploy('one', app)).toMatchObject({ changed: false });
      expect(await backups()).toEqual([]);
    });

    test('before another version it is backed up, and the newest backups stay', async () => {
      const { release } = await at.deploy('two', app);
      expect(await backups()).toEqual([`before-${release}.sql.gz`]);
      await at.deploy('three', app);
      await at.deploy('four', app);
      const kept = await backups();
      expect(kept).toHaveLength(2);
      expect(kept).not.toContain(`before-${release}.sql.gz`);
      const path = `/var/lib/pipeline/backups/${APP}/main/${kept.at(-1)}`;
      expect(await at.on(`stat -c '%a %U' ${path}; stat -c %a /var/lib/pipeline/backups`)).toBe(
        '600 root\n700\n',
      );
      // The documented way back.
      await sql('DELETE FROM t');
      await at.on(`zcat ${path} | mariadb shop_x`);
      expect(await sql('SELECT n FROM t')).toBe('7\n');
      expect(await at.on(`grep -c '"action":"backup"' /var/log/pipeline/audit.jsonl`)).toBe('3\n');
    });

    test('a password that was lost on either side is mended', async () => {
      const before = await environment();
      await at.on(`echo "ALTER USER shop_x@127.0.0.1 IDENTIFIED BY 'another'" | mariadb`);
      expect(await at.deploy('four', app)).toMatchObject({ changed: true });
      expect(await sql('SELECT n FROM t')).toBe('7\n');
      expect(await environment()).toEqual(before);
      await at.on(`rm /etc/pipeline/apps/${APP}/secrets/MAIN_PASSWORD`);
      await at.deploy('four', app);
      expect((await environment()).MAIN_PASSWORD).not.toBe(before.MAIN_PASSWORD);
      expect(await sql('SELECT n FROM t')).toBe('7\n');
    });

    test("somebody else's user keeps its password, and signs in with it where it is given", async () => {
      await at.on(
        `echo "CREATE USER hand@127.0.0.1 IDENTIFIED BY 'made-by-hand';
GRANT ALL ON other.* TO hand@127.0.0.1" | mariadb`,
      );
      const other = { databases: { main: { engine: 'mariadb' as const, name: 'other', user: 'hand' } } };
      const failure = await failureOf(at.deploy('one', other));
      expect(failure).toMatchObject({ kind: 'usage', host: 'web' });
      expect(failure.message).toBe(
        'web: the user hand of other was not made by pipeline, and does not take the password that the ' +
          'application would have',
      );
      expect(failure.next).toContain('secrets: { MAIN_PASSWORD: { env: … } }');
      const secrets = { MAIN_PASSWORD: { command: 'echo made-by-hand' } };
      await at.deploy('one', { ...other, secrets });
      expect(await environment()).toMatchObject({ MAIN_USER: 'hand', MAIN_PASSWORD: 'made-by-hand' });
      await at.deploy('four', app);
    });

    test('no room for a backup: nothing is touched', async () => {
      await at.on(
        `mkdir -p /srv/small && mount -t tmpfs -o size=32m tmpfs /srv/small &&
  mount --bind /srv/small /var/lib/pipeline/backups/${APP}/main`,
      );
      const { release } = await at.deploy('four', app);
      try {
        const failure = await failureOf(at.deploy('one', app));
        expect(failure).toMatchObject({ kind: 'host', host: 'web', step: 'database main' });
        expect(failure.message).toMatch(
          /^web: the backup of the database shop_x failed: no room: it has \d+ MB, and \d+ MB are free/,
        );
        expect(await at.deploy('four', app)).toMatchObject({ changed: false, release });
      } finally {
        await at.on(`umount /var/lib/pipeline/backups/${APP}/main /srv/small`);
      }
    });

    test('a server that is down: said with what it printed, and the old version serves on', async () => {
      await at.on('systemctl stop mariadb');
      try {
        const failure = await failureOf(at.deploy('one', app));
        expect(failure).toMatchObject({ kind: 'host', host: 'web', step: 'database main' });
        expect(failure.message).toMatch(
          /^web: the database server \(mariadb\.service\) does not answer: .*Can't connect to local server/,
        );
        expect(failure.next).toContain('systemctl start mariadb.service');
        expect((await at.ask('/')).text).toBe('version four 0');
      } finally {
        await at.on('systemctl start mariadb');
      }
    });

    describe('a seed', () => {
      const database = (seed: readonly (string | { file: string } | { command: string })[]) => ({
        databases: { main: { engine: 'mariadb' as const, name: 'seeded', seed: [...seed] } },
      });
      /** Comes through SSH, and knows who answers. */
      const program = [
        "const known = (hello) => hello.includes('MariaDB') && require('fs').existsSync('package.json');",
        "require('net').connect(process.env.MAIN_PORT, process.env.MAIN_HOST)",
        ".once('data', (hello) => process.exit(known(hello) ? 0 : 1))",
      ].join('');
      const command = `node -e "${program}"`;
      const good = database(['sql/schema.sql', { file: 'rows.sql' }, { command }]);
      const tables = () => at.on("echo 'SHOW TABLES' | mariadb --skip-column-names seeded");
      const rows = () => sql('SELECT n FROM seeded ORDER BY n');

      test('that fails half-way leaves an empty database, and the old version', async () => {
        writeFileSync(
          join(at.folder, 'rows.sql'),
          'INSERT INTO seeded VALUES (1);\nINSERT INTO nowhere VALUES (1);\n',
        );
        const before = (await at.ask('/')).text;
        const failure = await failureOf(at.deploy('one', good));
        expect(failure).toMatchObject({ kind: 'host', host: 'web', step: 'database main' });
        expect(failure.message).toMatch(
          /^web: the seed rows\.sql of the database seeded failed: ERROR 1146 /,
        );
        expect(failure.message).toMatch(/ at line 2: Table 'seeded\.nowhere' doesn't exist$/);
        expect(await tables()).toBe('');
        const failed = await failureOf(
          at.deploy('one', database(['sql/schema.sql', { command: 'echo "it is $MAIN_PASSWORD"; exit 7' }])),
        );
        expect(failed.message).toContain('ended with exit code 7');
        expect(failed.output).toEqual(['it is ***']);
        expect(await tables()).toBe('');
        expect((await at.ask('/')).text).toBe(before);
      });

      test('fills the database once', async () => {
        writeFileSync(join(at.folder, 'rows.sql'), 'INSERT INTO seeded VALUES (1), (2);\n');
        await at.deploy('one', good);
        expect(await rows()).toBe('1\n2\n');
        await sql('DELETE FROM seeded WHERE n = 1');
        await at.deploy('two', good);
        expect(await at.deploy('two', good)).toMatchObject({ changed: false });
        expect(await rows()).toBe('2\n');
      });

      test('that was killed in the middle is begun anew', async () => {
        await at.on(
          `echo begun >/etc/pipeline/databases/${APP}.main/seed
echo 'DELETE FROM seeded; CREATE TABLE half (n INT)' | mariadb seeded`,
        );
        await at.deploy('two', good);
        expect(await tables()).toBe('seeded\n');
        expect(await rows()).toBe('1\n2\n');
      });

      test('is done again on demand, after a backup', async () => {
        await sql('INSERT INTO seeded VALUES (3)');
        expect(await at.deploy('two', good, { reseed: true })).toMatchObject({ changed: true });
        expect(await rows()).toBe('1\n2\n');
        const [newest = ''] = (await at.on(`ls -1t /var/lib/pipeline/backups/${APP}/main`)).split('\n');
        expect(await at.on(`zcat /var/lib/pipeline/backups/${APP}/main/${newest} | grep -c '(3)'`)).toBe(
          '1\n',
        );
      });
    });
  });

  test('mongodb: a repository that the host cannot reach is named, and nothing serves yet', async () => {
    const docs = { engine: 'mongodb' as const, name: 'docs' };
    const repository = 'deb [trusted=yes] http://127.0.0.1:9/apt bookworm main';
    const app = { site: { port: 8080 }, databases: { docs: { ...docs, repository } } };
    const failure = await failureOf(at.deploy('one', app, { name: 'other' }));
    expect(failure).toMatchObject({ kind: 'host', host: 'web' });
    expect(failure.output.join('\n')).toMatch(
      // A processor without AVX is told of first.
      /cannot reach MongoDB's package repository \(http:\/\/127\.0\.0\.1:9\/apt\)|needs a processor with AVX/,
    );
    expect(failure.output.join('\n')).toContain('engine: ferretdb');
    expect(await at.on('ls /srv')).not.toContain('other');
    await at.on('rm -f /etc/apt/sources.list.d/pipeline-mongodb.list');
  });

  describe.skipIf(noFerretdb !== undefined)(`ferretdb (${noFerretdb ?? FERRETDB})`, () => {
    const app = {
      env: { MONGO_IP: '${NOTES_HOST}' },
      databases: { notes: { engine: 'ferretdb' as const, name: 'notes', binary: FERRETDB } },
    };
    const pings = async () => {
      const { NOTES_USER, NOTES_PASSWORD } = await environment();
      return at.on(
        `cd /tmp; FERRETDB_STATE_DIR=/tmp FERRETDB_TEST_ENABLE_NEW_AUTH=true FERRETDB_SETUP_DATABASE=admin \\
  FERRETDB_SETUP_USERNAME=${NOTES_USER} FERRETDB_SETUP_PASSWORD=${NOTES_PASSWORD} \\
  timeout 20 /opt/pipeline/ferretdb/${APP}.notes ping >/dev/null 2>&1 && echo in || echo out`,
      );
    };

    test('runs as its own user on the loopback address, and lets the application in alone', async () => {
      await at.deploy('one', app);
      expect(await environment()).toMatchObject({
        MONGO_IP: '127.0.0.1',
        NOTES_PORT: '27017',
        NOTES_DATABASE: 'notes',
      });
      expect(await pings()).toBe('in\n');
      expect(await at.on("ss -Hltn 'sport = :27017' | awk '{print $4}'")).toBe('127.0.0.1:27017\n');
      expect(await at.on(`ps -o user= -p $(systemctl show --value -p MainPID ferretdb@${APP}.notes)`)).toBe(
        'ferretdb\n',
      );
      expect(await at.deploy('one', app)).toMatchObject({ changed: false });
    });

    test('a lost password is mended', async () => {
      await at.on(`rm /etc/pipeline/apps/${APP}/secrets/NOTES_PASSWORD`);
      await at.deploy('one', app);
      expect(await pings()).toBe('in\n');
    });

    test('a program that cannot be had is named with its setting', async () => {
      writeFileSync(join(at.folder, 'not-ferretdb'), '#!/bin/sh\necho v2.0.0\n');
      const databases = (binary: string, port: number) => ({
        databases: { ...app.databases, fresh: { ...app.databases.notes, binary, port } },
      });
      const missing = await failureOf(at.deploy('two', databases('nowhere', 27_018)));
      expect(missing.kind).toBe('usage');
      expect(missing.next).toContain(
        'databases.fresh.binary (or the environment variable PIPELINE_FERRETDB)',
      );
      const wrong = await failureOf(at.deploy('two', databases('not-ferretdb', 27_018)));
      expect(wrong.message).toContain('it is not FerretDB 1: v2.0.0');
      const taken = await failureOf(at.deploy('two', databases(FERRETDB ?? '', 27_017)));
      expect(taken.message).toContain(`port 27017 is taken by another program ("${APP}.notes"`);
      expect(await pings()).toBe('in\n');
    });
  });
});
