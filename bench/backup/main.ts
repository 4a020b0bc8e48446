/**
 * A backup of a MariaDB under traffic: what visitors notice, what it takes of the disk, and whether it comes
 * back byte by byte, also where the restore is killed.
 *
 *   node bench/run.mjs backup [--mb 1000] [--rate 50] [--seconds 60] [--kills 6]
 *
 * Needs root, local hosts and `npm run build`. The database is on one host, the storage on another, in its
 * memory: both hosts are on the disk of this machine, and a storage of one's own is not.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { projectFolder, run, start } from '../../test/support/program.ts';
import { nodeRepository } from '../../test/support/repository.ts';

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    kills: { type: 'string', default: '6' },
  },
});
const [mb, rate, seconds, kills] = [values.mb, values.rate, values.seconds, values.kills].map(Number) as [
  number,
  number,
  number,
  number,
];
const ROW_BYTES = 1000;
const ROWS = Math.round((mb * 1e6) / ROW_BYTES);
const ROWS_A_STATEMENT = 50_000;
/** Of the host that has the storage in its memory. */
const STORE_MB = 512 + Math.ceil(mb * 1.5);

/** Reads one row of the database for each request. */
const SERVICE = `const mysql = require('mysql2');
const { MAIN_HOST, MAIN_PORT, MAIN_USER, MAIN_PASSWORD, MAIN_DATABASE, PORT } = process.env;
const pool = mysql.createPool({ host: MAIN_HOST, port: Number(MAIN_PORT), user: MAIN_USER,
  password: MAIN_PASSWORD, database: MAIN_DATABASE, connectionLimit: 10 });
require('http').createServer((request, response) => {
  if (request.url === '/') return response.end('well');
  pool.query('SELECT LENGTH(data) AS n FROM t WHERE id = ?', [1 + Math.floor(Math.random() * ${ROWS})],
    (error, rows) => { response.statusCode = error ? 500 : 200; response.end(String(error ?? rows[0]?.n)); });
}).listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
`;

const project = projectFolder(configuration(''));
const folder = project.path;
const here = { cwd: folder };

async function pipeline(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(args, here);
  if (exitCode !== 0) throw new Error(`pipeline ${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`);
  return stdout;
}
const on = (host: string, script: string) => pipeline('prod', 'ssh', host, '--', script);
const sql = (statement: string) => on('web', `mariadb --skip-column-names bench <<'END'\n${statement}\nEND`);
const dumped = () => on('web', 'mariadb-dump --skip-comments --hex-blob bench | sha256sum');

/** Two cores: the quota of one would stop service and backup alike, whatever they weigh. */
function configuration(backups: string): string {
  return `project: bench-backup
hosts: { web: { roles: [nginx], memory: 1500M, cpus: 2 }, store: { memory: ${STORE_MB}M } }
apps:
  shop:
    source: ./shop
    hosts: [web]
    node: "${process.versions.node}"
    watch: 0s
    databases: { main: { engine: mariadb, name: bench, backups: 0 } }
    health: { path: /, status: 200, within: 60s }
${backups}`;
}

/** @returns the address of the host that serves */
async function makeHosts(): Promise<string> {
  nodeRepository(join(folder, 'shop'), SERVICE, { mysql2: '3' });
  await pipeline('prod', 'up');
  const { hosts } = JSON.parse(await pipeline('prod', 'status', '--json')) as {
    hosts: { name: string; address: string }[];
  };
  const address = (name: string) => hosts.find((one) => one.name === name)?.address ?? '';
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
  const key = readFileSync(join(folder, 'key.pub'), 'utf8').trim();
  const hostKey = await on(
    'store',
    'mkdir -p /srv/backups; mount -t tmpfs none /srv/backups; ' +
      `echo '${key}' >>/root/.ssh/authorized_keys; cat /etc/ssh/ssh_host_ed25519_key.pub`,
  );
  const backups = `backups:
  to: sftp:root@${address('store')}:/srv/backups
  credentials: { command: cat key }
  host_key: ${hostKey.trim().split(' ').slice(0, 2).join(' ')}
`;
  writeFileSync(join(folder, 'pipeline.yml'), configuration(backups));
  await pipeline('prod', 'up');
  await pipeline('deploy', 'shop');
  // None but those that are measured.
  await on('web', 'systemctl stop pipeline-backup.timer pipeline-backup.path');
  await sql('CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, data BLOB)');
  for (let made = 0; made < ROWS; made += ROWS_A_STATEMENT) {
    const count = Math.min(ROWS_A_STATEMENT, ROWS - made);
    await sql(`INSERT INTO t (data) SELECT RANDOM_BYTES(${ROW_BYTES}) FROM seq_1_to_${count}`);
  }
  return address('web');
}

interface Answers {
  readonly milliseconds: number[];
  failed: number;
}

/** Requests at an even rate, however slow answers are, until `end`. */
async function visit(address: string, end: AbortSignal): Promise<Answers> {
  const answers: Answers = { milliseconds: [], failed: 0 };
  const under: Promise<void>[] = [];
  const one = async () => {
    const began = performance.now();
    const status = await fetch(`http://${address}/row`, { signal: AbortSignal.timeout(30_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    answers.milliseconds.push(performance.now() - began);
    if (status !== 200) answers.failed++;
  };
  while (!end.aborted) {
    under.push(one());
    await sleep(1000 / rate);
  }
  await Promise.all(under);
  answers.milliseconds.sort((a, b) => a - b);
  return answers;
}

const quantile = ({ milliseconds }: Answers, share: number) =>
  milliseconds[Math.min(milliseconds.length - 1, Math.floor(milliseconds.length * share))] ?? Number.NaN;

/**
 * Watches what is taken of the host's disk, but for the database itself. @returns ends it: bytes more at most
 */
async function watchDisk(): Promise<() => Promise<number>> {
  const over = '/run/bench-over';
  const look =
    'du -sxB1 --total --exclude=/var/lib/mysql --exclude=/var/log /var /tmp /root | tail -n 1 | cut -f1';
  const script = `rm -f ${over}; until [ -e ${over} ]; do ${look}; sleep 0.5; done; ${look}`;
  const { process: child, ended } = start(['prod', 'ssh', 'web', '--', script], here);
  await once(child.stdout ?? child, 'data');
  return async () => {
    await on('web', `touch ${over}`);
    const { exitCode, stdout } = await ended;
    const [first = Number.NaN, ...rest] = stdout.trim().split('\n').map(Number);
    if (exitCode !== 0 || rest.length < 3) throw new Error(`the disk was not watched: ${stdout}`);
    return Math.max(...rest) - first;
  };
}

async function backUp(address: string): Promise<void> {
  // All the time: looking takes processor time, too.
  const mostMore = await watchDisk();
  const usual = await visit(address, AbortSignal.timeout(seconds * 1000));
  const over = new AbortController();
  const visitors = visit(address, over.signal);
  const began = performance.now();
  await pipeline('backup', 'now', 'shop');
  const took = (performance.now() - began) / 1000;
  over.abort();
  const [meanwhile, more] = [await visitors, await mostMore()];
  const size = Number(
    await sql("SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = 'bench'"),
  );
  const row = (name: string, one: Answers) =>
    console.log(
      `${name.padEnd(18)} ${one.milliseconds.length} requests, ${one.failed} failed, p50 ` +
        `${quantile(one, 0.5).toFixed(1)} ms, p99 ${quantile(one, 0.99).toFixed(1)} ms, most ` +
        `${quantile(one, 1).toFixed(1)} ms`,
    );
  console.log(
    `\nThe backup of ${(size / 1e9).toFixed(2)} GB took ${took.toFixed(1)} s (goal: p99 ≤ 2 × usual):`,
  );
  row('usual', usual);
  row('during the backup', meanwhile);
  console.log(`ratio of p99: ${(quantile(meanwhile, 0.99) / quantile(usual, 0.99)).toFixed(2)}`);
  console.log(
    `disk: at most ${(more / 1e6).toFixed(1)} MB more, ` +
      `${((100 * more) / size).toFixed(2)} % of the database (goal: under 5 %)`,
  );
}

/** Whole, then killed at moments spread over its time and finished by the next one. */
async function bringBack(): Promise<void> {
  const before = await dumped();
  const harm = () =>
    sql("UPDATE t SET data = 'lost' WHERE id % 7 = 0; CREATE TABLE IF NOT EXISTS later (n INT)");
  await harm();
  const began = performance.now();
  await pipeline('restore', 'shop', 'main', '--yes');
  const took = performance.now() - began;
  if ((await dumped()) !== before) throw new Error('what came back is not what was backed up');
  console.log(`\nrestored in ${(took / 1000).toFixed(1)} s: the same bytes`);
  for (let kill = 1; kill <= kills; kill++) {
    await harm();
    const first = start(['restore', 'shop', 'main', '--yes', '--wait'], here);
    await sleep((took * kill) / (kills + 1));
    first.process.kill('SIGKILL');
    await first.ended;
    await pipeline('restore', 'shop', 'main', '--yes', '--wait');
    if ((await dumped()) !== before) throw new Error(`killed at ${kill} of ${kills}: other bytes`);
  }
  console.log(`killed at ${kills} moments and finished by the next run: the same bytes each time`);
}

try {
  const address = await makeHosts();
  await backUp(address);
  await bringBack();
} finally {
  await project.remove();
}
