/**
 * What a deploy costs beside what people do without a tool: `git pull && npm ci && systemctl restart` over
 * ssh. The same service, host, nginx and Node; every deploy changes the version; dependencies and artifacts
 * are cached for both. Visitors ask all the time; what they do not get is counted.
 *
 *   node bench/run.mjs deploy [--rounds 5] [--rate 100]
 *
 * Issue 2: deploy under 5 s, rollback about 1 s, no request dropped. Times are wall-clock, program start
 * included.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { nodeArchive, npmForBuilds, ownArchitecture } from '../../src/build/node-runtime.ts';
import type { Machine } from '../../src/cloud/provider.ts';
import { configSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { rolesFor } from '../../src/roles/index.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { bundleProgram } from '../../test/support/bundle.ts';
import { sshArguments, withHosts } from '../../test/support/hosts.ts';
import { startLoad } from '../../test/support/load.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, rate: { type: 'string', default: '100' } },
});
const rounds = Number(values.rounds);
const rate = Number(values.rate);
const NODE = process.versions.node;
const NPM = '10.9.9';
const BY_HAND = 'git pull, npm ci, restart';
const PARAMS = { fleet: [], operators: [], sshPorts: [22], exposures: [] };
const folder = mkdtempSync(join(tmpdir(), 'pipeline-bench-deploy-'));
const context = quietContext();
const program = bundleProgram(join(import.meta.dirname, '../../test/support/deploy-program.ts'));

/** Seconds of each run, and visitors that were turned away meanwhile. */
interface Row {
  readonly name: string;
  readonly seconds: number[];
  sent: number;
  dropped: number;
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  execFileSync('node', ['examples/survey/make-repository.mjs', join(folder, 'survey')]);
  await withHosts({ names: ['web'], memory: 1024 * 2 ** 20 }, async ([machine]) => {
    if (machine === undefined) throw new Error('no host');
    const ways = await prepare(machine);
    for (const ref of ['good', 'better']) await ways.pipeline('deploy', ref);
    for (const ref of ['good', 'better']) await ways.plain(ref);
    show(await measureRounds(machine.address, ways));
  });
} finally {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
}

/** Both ways to bring a version to the host. */
interface Ways {
  readonly pipeline: (verb: 'deploy' | 'rollback', ref?: string) => Promise<void>;
  readonly plain: (ref: string) => Promise<void>;
}

/** Makes the host ready for both. */
async function prepare(machine: Machine): Promise<Ways> {
  const { name, address, port, user, identityFile, hostKeys } = machine;
  const knownHostsFile = join(folder, 'known_hosts');
  await writeKnownHosts(knownHostsFile, [{ address, port, keys: hostKeys }]);
  const target = { name, address, port, user, identityFile, knownHostsFile };
  const host = connect(target, context);
  try {
    await converge(host, [...rolesFor('nginx', PARAMS), ...rolesFor('node-service', PARAMS)], context);
    await preparePlain(host);
  } finally {
    await host.close();
  }
  const job = { config: surveyConfig(), app: 'survey', targets: [target], env: process.env };
  const path = `/opt/pipeline/node/${NODE}/bin:$PATH`;
  const update = `PATH=${path} /opt/npm/bin/npm-cli.js ci --silent && systemctl restart plain`;
  return {
    pipeline: (verb, ref) => {
      const file = join(folder, 'job.json');
      writeFileSync(file, JSON.stringify({ ...job, verb, ref }));
      return command(process.execPath, [program.path, file]);
    },
    plain: (ref) =>
      command('ssh', [
        ...sshArguments(machine),
        `cd /srv/plain && git fetch --quiet && git checkout --quiet origin/${ref} && ${update}`,
      ]),
  };
}

function surveyConfig() {
  const survey = {
    source: join(folder, 'survey'),
    hosts: ['web'],
    node: NODE,
    health: { path: '/', status: 200, contains: 'survey' },
  };
  const hosts = { web: { roles: ['nginx'] } };
  return {
    ...configSchema.parse({ project: 'bench', hosts, apps: { survey } }),
    path: join(folder, 'pipeline.yml'),
    directory: folder,
  };
}

async function measureRounds(address: string, { pipeline, plain }: Ways): Promise<readonly Row[]> {
  const row = (name: string): Row => ({ name, seconds: [], sent: 0, dropped: 0 });
  const deploy = row('pipeline deploy');
  const same = row('pipeline deploy, nothing new');
  const rollback = row('pipeline rollback');
  const byHand = row(BY_HAND);
  for (let round = 0; round < rounds; round++) {
    await measure(deploy, `http://${address}/`, () => pipeline('deploy', 'good'));
    await measure(same, `http://${address}/`, () => pipeline('deploy', 'good'));
    await measure(rollback, `http://${address}/`, () => pipeline('rollback'));
    await measure(byHand, `http://${address}:8088/`, () => plain(round % 2 ? 'better' : 'good'));
  }
  return [deploy, same, rollback, byHand];
}

/** Times `work` while visitors ask. */
async function measure(row: Row, url: string, work: () => Promise<void>): Promise<void> {
  const visitors = startLoad({ url, rate, keepAlive: true });
  await delay(200);
  const began = performance.now();
  await work();
  row.seconds.push((performance.now() - began) / 1000);
  const { sent, ok } = await visitors.stop();
  row.sent += sent;
  row.dropped += sent - ok;
}

function show(rows: readonly Row[]): void {
  const base = median(rows.find(({ name }) => name === BY_HAND)?.seconds ?? []);
  console.log(`${rounds} rounds, ${rate} requests a second, medians\n`);
  for (const { name, seconds, sent, dropped } of rows) {
    const time = median(seconds);
    const share = `${(time / base).toFixed(2)} × plain`;
    console.log(
      `${name.padEnd(30)} ${time.toFixed(2).padStart(6)} s   ${share}   dropped ${dropped} of ${sent}`,
    );
  }
}

async function command(program: string, args: readonly string[]): Promise<void> {
  await execa(program, args, { stdin: 'ignore', stderr: 'inherit' });
}

/** The service as people run it by hand: a clone, npm, one unit, nginx in front of one port. */
async function preparePlain(host: Connection): Promise<void> {
  const architecture = ownArchitecture();
  const npm = join(await npmForBuilds(NPM, context), '..');
  execFileSync('tar', ['-czf', join(folder, 'npm.tgz'), '-C', npm, '.']);
  execFileSync('tar', ['-czf', join(folder, 'survey.tgz'), '-C', folder, 'survey']);
  await host.upload(
    { path: await nodeArchive({ version: NODE, architecture }, context) },
    '/root/node.tgz',
    {},
  );
  await host.upload({ path: join(folder, 'npm.tgz') }, '/root/npm.tgz', {});
  await host.upload({ path: join(folder, 'survey.tgz') }, '/root/survey.tgz', {});
  await host.check(
    `set -e
apt-get install -y -q git >/dev/null 2>&1
mkdir -p /opt/pipeline/node/${NODE} /opt/npm
tar -xzf /root/node.tgz --strip-components=1 -C /opt/pipeline/node/${NODE}
tar -xzf /root/npm.tgz -C /opt/npm && tar -xzf /root/survey.tgz -C /root && chown -R root: /root/survey
git clone -q /root/survey /srv/plain
cat >/etc/systemd/system/plain.service <<'UNIT'
[Service]
WorkingDirectory=/srv/plain
Environment=PORT=5000
ExecStart=/opt/pipeline/node/${NODE}/bin/node server.js
Restart=always
UNIT
cat >/etc/nginx/pipeline/sites/plain.conf <<'SITE'
server { listen 8088; access_log off; location / { proxy_pass http://127.0.0.1:5000; } }
SITE
systemctl daemon-reload && systemctl start plain && systemctl reload nginx`,
    { label: 'prepare the plain way' },
  );
}
