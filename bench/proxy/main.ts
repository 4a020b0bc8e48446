/**
 * What the canary's proxy costs: splitting by chance, the JSON log and the agent that reads it, beside nginx
 * with a bare `proxy_pass`. Same hosts, same nginx, same backends, rounds in turn, so that noise of the
 * machine meets all alike. Issue 3: at least 90 % of the bare throughput.
 *
 * The bare side is what one writes: a `server` with a `proxy_pass`. Once without a log at all, and once with
 * the one that nginx has unless it is told otherwise. The load comes from `wrk`, since a generator that needs
 * more than the proxy would be what is measured.
 *
 *   node bench/run.mjs proxy [--rounds 10] [--seconds 3] [--connections 32]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { nodeArchive, ownArchitecture, resolveNode } from '../../src/build/node-runtime.ts';
import { sha256 } from '../../src/build/pack.ts';
import { agentPath } from '../../src/canary/lab/prepare.ts';
import { nodePath, unpackNode, uploadPath } from '../../src/canary/lab/service.ts';
import { openStream } from '../../src/canary/load/streams.ts';
import { quietContext } from '../../src/context.ts';
import { converge } from '../../src/host/converge.ts';
import { nginxProxy } from '../../src/proxy/nginx.ts';
import { accessLog } from '../../src/proxy/site.ts';
import { rolesFor } from '../../src/roles/index.ts';
import type { Connection } from '../../src/ssh/connection.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { bundleAgent } from '../../test/agent/support.ts';
import { withHosts } from '../../test/support/hosts.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = Number(values.connections);

const context = quietContext();
const folder = mkdtempSync(join(tmpdir(), 'pipeline-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const idsFile = join(folder, 'ids.lua');
const PARAMS = { fleet: [], operators: [], sshPorts: [22], exposures: [] };
const APP = 'bench';
const PORTS = { split: 8080, bare: 8081, logged: 8082 } as const;
type Kind = keyof typeof PORTS;
const KINDS: readonly Kind[] = ['bare', 'logged', 'split'];

/** What answers behind the proxy: 5 kB from memory, so that the proxy is what is measured. */
const BACKEND = `server {
  listen 3000 default_server;
  access_log off;
  location / { default_type text/plain; return 200 "${'x'.repeat(2_000)}"; }
}
`;

/** The same two backends in turn: with one alone, its processor would be what is measured. */
const bare = (
  addresses: readonly string[],
) => `upstream bare { ${addresses.map((address) => `server ${address}:3000;`).join(' ')} }
server {
  listen ${PORTS.bare} default_server;
  access_log off;
  location / { proxy_pass http://bare; }
}
server {
  listen ${PORTS.logged} default_server;
  access_log /var/log/nginx/bare.log combined;
  location / { proxy_pass http://bare; }
}
`;

async function site(connection: Connection, name: string, text: string): Promise<void> {
  await connection.upload({ data: Buffer.from(text) }, `/etc/nginx/pipeline/sites/${name}.conf`, {
    mode: '0644',
  });
  await connection.check('nginx -t -q && systemctl reload nginx', { label: 'reload nginx' });
}

/** As the canary's load does: an id for each request, whoever is asked. */
const IDS = `request = function()
  wrk.headers["X-Request-ID"] = string.format("%08x-%08x", math.random(0, 2^31 - 1), math.random(0, 2^31 - 1))
  return wrk.format(nil, nil)
end
`;

/** Requests a second. */
async function throughput(url: string, forSeconds: number): Promise<number> {
  const args = ['-t1', `-c${connections}`, `-d${forSeconds}s`, '-s', idsFile, url];
  const { stdout } = await promisify(execFile)('wrk', args).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error('This benchmark needs wrk: apt-get install wrk');
    throw error;
  });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}:\n${stdout}`);
  return requests / forSeconds;
}

/**
 * Processor seconds that nginx and the agent have used on the host: on a busy machine a steadier measure than
 * throughput.
 */
async function processor(connection: Connection): Promise<{ nginx: number; agent: number }> {
  const text = await connection.check(
    `for pid in $(pgrep -x nginx); do echo nginx $(cat /proc/$pid/schedstat); done
for pid in $(pgrep -f '[a]gent-.*stream'); do
  for task in /proc/$pid/task/*; do echo agent $(cat $task/schedstat); done
done`,
    { label: 'processor time' },
  );
  const used = { nginx: 0, agent: 0 };
  for (const line of text.trim().split('\n')) {
    const [name, nanoseconds] = line.split(' ');
    if (name === 'nginx' || name === 'agent') used[name] += Number(nanoseconds) / 1e9;
  }
  return used;
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

/** Three hosts, and where each is. */
interface Hosts {
  readonly proxy: Connection;
  readonly blue: Connection;
  readonly green: Connection;
  readonly address: (name: string) => string;
}

/** Sites of every kind on the proxy, and what answers behind it. */
async function prepareSites({ proxy, blue, green, address }: Hosts): Promise<void> {
  const wanted = [{ kind: 'package', name: 'libatomic1' } as const, ...rolesFor('nginx', PARAMS)];
  await Promise.all([proxy, blue, green].map((host) => converge(host, wanted, context)));
  await Promise.all([blue, green].map((host) => site(host, 'backend', BACKEND)));
  await site(proxy, 'bare', bare([address('blue'), address('green')]));
  const backend = (name: string) => ({ servers: [`${address(name)}:3000`], release: name });
  await nginxProxy(proxy, context).reconcile({
    app: APP,
    domains: [],
    port: PORTS.split,
    routes: ['/'],
    root: '/var/empty',
    maxBodyBytes: 1e6,
    readTimeoutMs: 60_000,
    headers: {},
    colours: { blue: backend('blue'), green: backend('green') },
    fallback: false,
    key: '$http_x_request_id',
    experiment: { colourHeader: 'x-pipeline-colour' },
  });
  await nginxProxy(proxy, context).setWeights(APP, { blue: 50, green: 50 });
}

/** Brings the agent. @returns its Node's version and its path on the host */
async function placeAgent(proxy: Connection): Promise<{ readonly node: string; readonly path: string }> {
  const node = await resolveNode('the agent', { range: '>=20', preferLts: true, from: 'default' }, context);
  const bundle = await bundleAgent();
  const agent = { path: bundle.path, sha256: await sha256(bundle.path), node };
  const archive = await nodeArchive({ version: node, architecture: ownArchitecture() }, context);
  await proxy.upload({ path: archive }, uploadPath('node', node), { mode: '0644' });
  await proxy.upload({ path: bundle.path }, agentPath(agent), { mode: '0644' });
  await proxy.check(unpackNode(node), { label: 'unpack Node' });
  bundle.remove();
  return { node, path: agentPath(agent) };
}

/** A value for each round. */
interface Results {
  /** Requests a second. */
  readonly rate: number[];
  /** Microseconds of the processor for a request. */
  readonly nginx: number[];
  readonly agent: number[];
}

/** What the agent has read of the log. */
const seen = { lines: 0, requests: 0 };

function startAgent(proxy: Connection, agent: Awaited<ReturnType<typeof placeAgent>>) {
  const onLine: Parameters<typeof openStream>[1]['onLine'] = (line) => {
    seen.lines++;
    if (line.kind === 'traffic') seen.requests += line.lines;
  };
  const onEnd = (reason: string) => {
    throw new Error(reason);
  };
  const source = ['--nginx-log', accessLog(APP)] as const;
  const options = { node: nodePath(agent.node), agent: agent.path, atMostMs: 600_000 };
  return openStream(proxy, { ...options, source, onLine, onEnd }, context);
}

async function measureRounds(
  { proxy, address }: Hosts,
  agent: Awaited<ReturnType<typeof placeAgent>>,
): Promise<Readonly<Record<Kind, Results>>> {
  const none = (): Results => ({ rate: [], nginx: [], agent: [] });
  const results = { bare: none(), logged: none(), split: none() };
  const url = (kind: Kind) => `http://${address('proxy')}:${PORTS[kind]}/`;
  // nginx has just been reloaded: workers of before close their connections.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  for (const kind of KINDS) await throughput(url(kind), 1);
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? KINDS : [...KINDS].reverse()) {
      // The agent runs only where it belongs to what is measured.
      const stream = kind === 'split' ? startAgent(proxy, agent) : undefined;
      await stream?.begun;
      const before = await processor(proxy);
      const rate = await throughput(url(kind), seconds);
      const after = await processor(proxy);
      await stream?.close();
      const spent = (name: 'nginx' | 'agent') => ((after[name] - before[name]) * 1e6) / (rate * seconds);
      results[kind].rate.push(rate);
      results[kind].nginx.push(spent('nginx'));
      results[kind].agent.push(spent('agent'));
      const [nginx, own] = [spent('nginx').toFixed(1).padStart(5), spent('agent').toFixed(1).padStart(4)];
      console.log(
        `  round ${round + 1}  ${kind.padEnd(6)}  ${rate.toFixed(0).padStart(6)} requests/s  ` +
          `${nginx} µs of nginx and ${own} µs of the agent a request`,
      );
    }
  }
  return results;
}

function show(results: Readonly<Record<Kind, Results>>): void {
  const percent = (list: readonly number[], than: readonly number[]) =>
    `${(100 * median(list.map((value, round) => value / (than[round] ?? Number.NaN)))).toFixed(1)} %`;
  const cost = (kind: Kind) =>
    results[kind].nginx.map((nginx, round) => nginx + (results[kind].agent[round] ?? 0));
  console.log("\nMedians over the rounds; shares are medians of each round's own.");
  for (const [kind, name] of [
    ['bare', 'bare proxy_pass, no log'],
    ['logged', "bare proxy_pass, nginx's usual log"],
    ['split', 'splitting, JSON log and agent'],
  ] as const) {
    console.log(
      `  ${name.padEnd(36)} ${median(results[kind].rate).toFixed(0).padStart(6)} requests/s  ` +
        `${median(cost(kind)).toFixed(1).padStart(5)} µs of the proxy's processor a request, ` +
        `${median(results[kind].agent).toFixed(1)} of it the agent's`,
    );
  }
  for (const kind of ['bare', 'logged'] as const) {
    console.log(
      `  with everything, of ${kind === 'bare' ? 'bare without a log' : 'bare with its log '}: ` +
        `${percent(results.split.rate, results[kind].rate)} of the throughput, at ` +
        `${percent(cost('split'), cost(kind))} of the processor time a request; ` +
        'wanted: at least 90 % of the throughput',
    );
  }
  console.log(`The agent read ${seen.requests} requests in ${seen.lines} lines.`);
}

writeFileSync(idsFile, IDS);
await withHosts({ names: ['proxy', 'blue', 'green'], cpus: 1 }, async (machines, { spec, machine }) => {
  const knownHostsFile = `${spec.directory}/known_hosts`;
  await writeKnownHosts(
    knownHostsFile,
    machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
  );
  const reach = (name: string) => {
    const { address, port, user, identityFile } = machine(name);
    return connect({ name, address, port, user, identityFile, knownHostsFile }, context);
  };
  const [proxy, blue, green] = [reach('proxy'), reach('blue'), reach('green')];
  const hosts = { proxy, blue, green, address: (name: string) => machine(name).address };
  try {
    console.log('Preparing three hosts …');
    await prepareSites(hosts);
    show(await measureRounds(hosts, await placeAgent(proxy)));
  } finally {
    await Promise.all([proxy, blue, green].map((host) => host.close()));
  }
});
