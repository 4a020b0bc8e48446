/**
 * What the canary's proxy costs: splitting by chance, the JSON log and the agent that reads it, beside nginx with a bare `proxy_pass`. Same
 * hosts, same nginx, same backends, rounds in turn. Issue 3: at least 90 % of the bare throughput.
 *
 *   node bench/run.mjs proxy [--rounds 6] [--seconds 5] [--connections 32]
 */
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { nodeArchive, ownArchitecture, resolveNode } from '../../src/build/node-runtime.ts';
import { sha256 } from '../../src/build/pack.ts';
import { agentPath } from '../../src/canary/prepare.ts';
import { nodePath, unpackNode, uploadPath } from '../../src/canary/service.ts';
import { openStream } from '../../src/canary/streams.ts';
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
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = Number(values.connections);

const context = quietContext();
const PARAMS = { fleet: [], operators: [], sshPorts: [22], exposures: [] };
const APP = 'bench';
const BARE_PORT = 8081;
const SPLIT_PORT = 8080;

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
  listen ${BARE_PORT} default_server;
  access_log off;
  location / { proxy_pass http://bare; }
}
`;

async function site(connection: Connection, name: string, text: string): Promise<void> {
  await connection.upload({ data: Buffer.from(text) }, `/etc/nginx/pipeline/sites/${name}.conf`, {
    mode: '0644',
  });
  await connection.check('nginx -t -q && systemctl reload nginx', { label: 'reload nginx' });
}

async function throughput(url: string): Promise<number> {
  const result = await autocannon({ url, connections, duration: seconds });
  if (result.errors + result.non2xx > 0)
    throw new Error(`${url}: ${result.errors} errors, ${result.non2xx} bad answers`);
  return result['2xx'] / result.duration;
}

/** Processor seconds that nginx and the agent have used on the host: on a busy machine a steadier measure than throughput. */
async function processor(connection: Connection): Promise<{ nginx: number; agent: number }> {
  const text = await connection.check(
    `for pid in $(pgrep -x nginx); do echo nginx $(cut -d' ' -f14-15 /proc/$pid/stat); done
for pid in $(pgrep -f '[a]gent-.*stream'); do echo agent $(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f12-13); done`,
    { label: 'processor time' },
  );
  const used = { nginx: 0, agent: 0 };
  for (const line of text.trim().split('\n')) {
    const [name, user, system] = line.split(' ');
    if (name === 'nginx' || name === 'agent') used[name] += (Number(user) + Number(system)) / 100;
  }
  return used;
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

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
  try {
    console.log('Preparing three hosts …');
    await Promise.all(
      [proxy, blue, green].map((host) =>
        converge(host, [{ kind: 'package', name: 'libatomic1' }, ...rolesFor('nginx', PARAMS)], context),
      ),
    );
    await Promise.all([blue, green].map((host) => site(host, 'backend', BACKEND)));
    await site(proxy, 'bare', bare([machine('blue').address, machine('green').address]));
    const backend = (name: string) => ({ servers: [`${machine(name).address}:3000`], release: name });
    await nginxProxy(proxy, context).reconcile({
      app: APP,
      domains: [],
      port: SPLIT_PORT,
      routes: ['/'],
      root: '/var/empty',
      maxBodyBytes: 1e6,
      readTimeoutMs: 60_000,
      headers: {},
      variants: { blue: backend('blue'), green: backend('green') },
      fallback: false,
      variantHeader: 'x-pipeline-variant',
    });
    await nginxProxy(proxy, context).setWeights(APP, { blue: 50, green: 50 });

    const node = await resolveNode('the agent', { range: '>=20', preferLts: true, from: 'default' }, context);
    const bundle = await bundleAgent();
    const agent = { path: bundle.path, sha256: await sha256(bundle.path), node };
    const archive = await nodeArchive({ version: node, architecture: ownArchitecture() }, context);
    await proxy.upload({ path: archive }, uploadPath('node', node), { mode: '0644' });
    await proxy.upload({ path: bundle.path }, agentPath(agent), { mode: '0644' });
    await proxy.check(unpackNode(node), { label: 'unpack Node' });
    bundle.remove();

    let lines = 0;
    let read = 0;
    const address = machine('proxy').address;
    const results: Record<'bare' | 'split', number[]> = { bare: [], split: [] };
    const costs: Record<'bare' | 'split', number[]> = { bare: [], split: [] };
    await throughput(`http://${address}:${BARE_PORT}/`);
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? (['bare', 'split'] as const) : (['split', 'bare'] as const);
      for (const kind of order) {
        // The agent runs only where it belongs to what is measured.
        const stream =
          kind === 'split'
            ? openStream(
                proxy,
                {
                  node: nodePath(node),
                  agent: agentPath(agent),
                  source: ['--nginx-log', accessLog(APP)],
                  atMostMs: 600_000,
                  onLine: (line) => {
                    lines++;
                    if (line.kind === 'traffic') read += line.lines;
                  },
                  onEnd: (reason) => {
                    throw new Error(reason);
                  },
                },
                context,
              )
            : undefined;
        await stream?.begun;
        const before = await processor(proxy);
        const rate = await throughput(`http://${address}:${kind === 'bare' ? BARE_PORT : SPLIT_PORT}/`);
        const after = await processor(proxy);
        await stream?.close();
        results[kind].push(rate);
        const spent = (name: 'nginx' | 'agent') => ((after[name] - before[name]) * 1e6) / (rate * seconds);
        costs[kind].push(spent('nginx') + spent('agent'));
        console.log(
          `  round ${round + 1}  ${kind.padEnd(5)}  ${rate.toFixed(0).padStart(6)} requests/s  ${spent('nginx').toFixed(0).padStart(4)} µs of nginx and ${spent('agent').toFixed(0).padStart(3)} µs of the agent a request`,
        );
      }
    }
    const ratios = results.split.map((rate, index) => rate / (results.bare[index] ?? 1));
    console.log(
      `\nbare proxy_pass, no log                 median ${median(results.bare).toFixed(0)} requests/s`,
    );
    console.log(
      `splitting, JSON log and agent           median ${median(results.split).toFixed(0)} requests/s`,
    );
    console.log(
      `share                                   median ${(100 * median(ratios)).toFixed(1)} % of bare (lowest round ${(100 * Math.min(...ratios)).toFixed(1)} %); wanted: at least 90 %`,
    );
    console.log(
      `processor time of the proxy a request   ${median(costs.bare).toFixed(0)} µs bare, ${median(costs.split).toFixed(0)} µs with everything (${((100 * median(costs.bare)) / median(costs.split)).toFixed(0)} %)`,
    );
    console.log(`The agent read ${read} requests in ${lines} lines.`);
  } finally {
    await Promise.all([proxy, blue, green].map((host) => host.close()));
  }
});
