/**
 * Backups to S3-compatible storage, and of FerretDB, on a real host. Neither program is in a registry that a
 * test may ask, so each runs where a variable names it:
 *
 *   PIPELINE_TEST_S3=…/versitygw   (go install github.com/versity/versitygw/cmd/versitygw@latest)
 *   PIPELINE_TEST_FERRETDB=…/ferretdb, 1.x
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { type Ended, projectFolder, run } from '../support/program.ts';
import { nodeRepository } from '../support/repository.ts';

const [S3, FERRETDB] = [process.env.PIPELINE_TEST_S3, process.env.PIPELINE_TEST_FERRETDB];
const missing = (path: string | undefined, name: string) =>
  path !== undefined && existsSync(path) ? undefined : `${name}=/path/to/it would enable it`;
const unavailable = hostsUnavailable();
const noS3 = unavailable ?? missing(S3, 'PIPELINE_TEST_S3');
const noFerretdb = unavailable ?? missing(FERRETDB, 'PIPELINE_TEST_FERRETDB');
for (const [what, why] of [
  ['s3', noS3],
  ['ferretdb', noFerretdb],
])
  if (why !== undefined) process.stderr.write(`test/backups/engines.host.test.ts: ${what} skipped: ${why}\n`);

const configuration = (databases: string, backups: string) => `
project: engines-${randomBytes(3).toString('hex')}
id: ${randomBytes(6).toString('hex')}
hosts: { web: { roles: [nginx], memory: 768M } }
apps:
  shop:
    source: ./shop
    hosts: [web]
    node: "${process.versions.node}"
    watch: 0s
    databases: { main: ${databases} }
    health: { path: /, status: 200, within: 60s }
backups: ${backups}
`;

interface Here {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function good(here: Here, ...args: string[]): Promise<Ended> {
  const ended = await run(args, here);
  if (ended.exitCode !== 0)
    throw new Error(`${args.join(' ')}: ${ended.exitCode}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

async function addressOf(here: Here): Promise<string> {
  const { stdout } = await good(here, 'prod', 'status', '--json');
  return (JSON.parse(stdout) as { hosts: { address: string }[] }).hosts[0]?.address ?? '';
}

describe.skipIf(noS3 !== undefined)(`backups to S3 (${noS3 ?? S3})`, () => {
  const mariadb = '{ engine: mariadb, name: shop_x, backups: 0 }';
  const text = configuration(mariadb, 'TO');
  const project = projectFolder(text.replace('backups: TO', ''));
  const env = { S3_KEYS: 'AKIDTEST:secret/with+signs' };
  const here = { cwd: project.path, env };
  const store = join(project.path, 'store');
  let server: ChildProcess | undefined;
  let at = '';

  const sql = (statement: string) =>
    good(here, 'prod', 'ssh', 'web', '--', `echo "${statement}" | mariadb shop_x`);
  const hash = async () =>
    (
      await good(
        here,
        'prod',
        'ssh',
        'web',
        '--',
        'mariadb-dump --skip-comments --hex-blob shop_x | sha256sum',
      )
    ).stdout;
  const serve = async () => {
    const keys = { ROOT_ACCESS_KEY: 'AKIDTEST', ROOT_SECRET_KEY: 'secret/with+signs' };
    server = spawn(S3 ?? '', ['--port', at, 'posix', store], {
      env: { ...process.env, ...keys },
      stdio: 'ignore',
    });
    const answers = () =>
      fetch(`http://${at}/`).then(
        ({ status }) => status === 403,
        () => false,
      );
    for (let tries = 0; !(await answers()); tries++) {
      if (tries === 100) throw new Error(`${S3} does not answer on ${at}`);
      await sleep(200);
    }
  };
  const end = async () => {
    if (server === undefined || server.exitCode !== null) return;
    server.kill();
    await once(server, 'exit');
  };

  beforeAll(async () => {
    nodeRepository(
      join(project.path, 'shop'),
      'require("http").createServer((q, r) => r.end("x")).listen(process.env.PORT)',
    );
    mkdirSync(join(store, 'bucket'), { recursive: true });
    await good(here, 'prod', 'up');
    // This machine, as its hosts reach it.
    at = `${(await addressOf(here)).replace(/\d+$/, '1')}:7070`;
    await serve();
    const to = `{ to: "s3:http://${at}/bucket", credentials: { env: S3_KEYS } }`;
    writeFileSync(join(project.path, 'pipeline.yml'), text.replace('backups: TO', `backups: ${to}`));
    await good(here, 'prod', 'up');
    await good(here, 'deploy', 'shop');
    await sql('CREATE TABLE t (n INT PRIMARY KEY, data BLOB)');
    await sql('INSERT INTO t SELECT seq, RANDOM_BYTES(200) FROM seq_1_to_5000');
  });
  afterAll(async () => {
    await end();
    await project.remove();
  });

  test('made, listed, tried and brought back byte by byte', async () => {
    await good(here, 'backup', 'now');
    expect((await good(here, 'backup', 'list')).stdout).toContain('shop/main');
    expect((await good(here, 'backup', 'verify', 'shop')).stdout).toContain(
      'comes back: 1 tables, 5000 rows',
    );
    const before = await hash();
    await sql('DELETE FROM t WHERE n > 7');
    await good(here, 'restore', 'shop', 'main', '--yes');
    expect(await hash()).toBe(before);
  });

  test('a storage that lies: nothing is replaced, and a new backup on it is not taken for one', async () => {
    const data = join(
      store,
      'bucket',
      readdirSync(join(store, 'bucket')).find((name) => !name.startsWith('.')) ?? '',
      'data',
    );
    const packs = readdirSync(data, { recursive: true, encoding: 'utf8' })
      .map((name) => join(data, name))
      .filter((path) => statSync(path).isFile() && statSync(path).size > 100_000);
    expect(packs.length).toBeGreaterThan(0);
    const kept = `${store}.kept`;
    cpSync(store, kept, { recursive: true });
    for (const pack of packs) {
      const bytes = readFileSync(pack);
      bytes.write('changed', 5000);
      writeFileSync(pack, bytes);
    }
    const before = await hash();
    const restored = await run(['restore', 'shop', 'main', '--yes'], here);
    expect(restored).toMatchObject({ exitCode: 3 });
    expect(restored.stdout).toContain('Nothing was replaced');
    expect(await hash()).toBe(before);
    expect(await run(['backup', 'verify', 'shop'], here)).toMatchObject({ exitCode: 3 });
    const made = await run(['backup', 'now', 'shop'], here);
    expect(made).toMatchObject({ exitCode: 3 });
    expect(made.stdout).toContain('the new backup of shop/main does not come back');
    for (const pack of packs) cpSync(pack.replace(store, kept), pack);
    expect((await good(here, 'backup', 'now', 'shop')).stdout).toContain('comes back');
  });

  test('a storage that is gone: said at once, and taken up again when it is back', async () => {
    await end();
    const gone = await run(['backup', 'now', 'shop'], here);
    expect(gone).toMatchObject({ exitCode: 3 });
    expect(gone.stdout).toContain('cannot be used');
    await serve();
    await good(here, 'backup', 'now', 'shop');
  });
});

/** Notes through MongoDB's own driver. */
const NOTES = `const http = require('http');
const { createHash } = require('crypto');
const { MongoClient } = require('mongodb');
const { MAIN_HOST, MAIN_PORT, MAIN_USER, MAIN_PASSWORD, MAIN_DATABASE, PORT } = process.env;
const address = 'mongodb://' + MAIN_USER + ':' + MAIN_PASSWORD + '@' + MAIN_HOST + ':' + MAIN_PORT;
const ready = new MongoClient(address + '/?authSource=admin', { useUnifiedTopology: true }).connect();
ready.catch(() => process.exit(1));
const verbs = {
  fill: (notes) => notes.insertMany(Array.from({ length: 500 }, (_, n) => ({ n, text: 'note ' + n }))),
  change: (notes) => notes.deleteMany({ n: { $gt: 7 } }),
  hash: async (notes) => {
    const hash = createHash('sha256');
    for (const one of await notes.find({}).sort({ n: 1 }).toArray()) hash.update(JSON.stringify(one));
    return hash.digest('hex');
  },
};
http.createServer(async (request, response) => {
  const verb = verbs[request.url.slice(1)];
  if (verb === undefined) return response.end('well');
  try {
    const said = await verb((await ready).db(MAIN_DATABASE).collection('notes'));
    response.end(typeof said === 'string' ? said : 'done');
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
`;

describe.skipIf(noFerretdb !== undefined)(`backups of FerretDB (${noFerretdb ?? FERRETDB})`, () => {
  const ferretdb = `{ engine: ferretdb, name: notes, backups: 0, binary: ${FERRETDB} }`;
  const project = projectFolder(configuration(ferretdb, '{ to: /srv/backups }'));
  const here = { cwd: project.path };
  let base = '';
  const ask = async (path: string) => {
    const response = await fetch(`${base}/${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  };

  beforeAll(async () => {
    nodeRepository(join(project.path, 'shop'), NOTES, { mongodb: '3.5.2' });
    await good(here, 'prod', 'up');
    await good(here, 'deploy', 'shop');
    base = `http://${await addressOf(here)}`;
    await ask('fill');
  });
  afterAll(() => project.remove());

  test('made, tried, and brought back document by document; what was there is kept', async () => {
    const before = await ask('hash');
    await good(here, 'backup', 'now');
    expect((await good(here, 'backup', 'verify', 'shop')).stdout).toMatch(
      /shop\/main .* comes back: \d+ files, \d+ tables/,
    );
    await ask('change');
    const changed = await ask('hash');
    expect(changed).not.toBe(before);
    await good(here, 'restore', 'shop', 'main', '--yes');
    expect(await ask('hash')).toBe(before);
    const { stdout } = await good(here, 'backup', 'list', '--json');
    const { backups } = JSON.parse(stdout) as { backups: { id: string; item: string; before: boolean }[] };
    const kept = backups.find((one) => one.before && one.item === 'shop/main');
    await good(here, 'restore', 'shop', 'main', kept?.id ?? '', '--yes');
    expect(await ask('hash')).toBe(changed);
  });
});
