/**
 * What a rollout costs a site: dealing its visitors by each kind of key, with the second log, beside the
 * same site as it is without a rollout. Both in one nginx with one worker on loopback, in front of the same
 * service, in turn, with the same requests, so that noise of the machine meets all alike. Needs root and
 * wrk.
 *
 * node bench/run.mjs split [--rounds 15] [--seconds 1] [--connections 32]
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { balancerConfig } from '../../src/proxy/balancer.ts';
import type { Site } from '../../src/proxy/proxy.ts';
import { shareFolder } from '../../src/proxy/shares.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import type { SiteSplit, Split } from '../../src/proxy/split.ts';
import { freePort, nginxUnavailable, RealNginx } from '../../test/proxy/real-nginx.ts';
import { measureReload } from './reload.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '32' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const ROLLOUT = '0123abcd';
const PERCENT = 25;
const VISITOR = { by: 'visitor', seconds: 600 } as const;

/** What is measured, beside which site without a rollout. */
interface Contender {
  readonly app: string;
  readonly title: string;
  readonly beside?: string;
  /** Requests of visitors who come back; else each one is a new visitor's. */
  readonly known: boolean;
  readonly split?: Split;
  readonly balancer?: boolean;
}

const site = (app: string, title: string, key: Split['key'], known: boolean): Contender => ({
  app,
  title,
  beside: known ? 'today' : 'today-new',
  known,
  split: { rollout: ROLLOUT, key },
});

const CONTENDERS: readonly Contender[] = [
  { app: 'today', title: 'no rollout', known: true },
  site('known', 'visitor, known', VISITOR, true),
  site('header', 'header', { by: 'header', name: 'X-Api-Key' }, true),
  site('address', 'address', { by: 'address' }, true),
  site('request', 'request', { by: 'request' }, true),
  { app: 'today-new', title: 'no rollout, no cookies sent', known: false },
  site('new', 'visitor, new at each request', VISITOR, false),
  { app: 'balancer', title: 'balancer, no rollout', known: true, balancer: true },
  {
    app: 'front',
    title: 'balancer, visitor, known',
    beside: 'balancer',
    known: true,
    balancer: true,
    split: { rollout: ROLLOUT, key: VISITOR },
  },
];

/** 10,000 visitors in an order that each round repeats. */
const visitors = (cookie: string) => `local turn = 0
request = function()
  turn = (turn * 7919 + 1) % 10000
  wrk.headers["Cookie"] = string.format("${cookie}=%016x", turn)
  wrk.headers["X-Api-Key"] = string.format("key-%d", turn)
  return wrk.format(nil, nil)
end
`;

/** The plainest service of Node, on two ports: 2 kB from memory. Real ones cost more. */
const SERVICE = `const [, ...ports] = process.argv;
const answer = Buffer.alloc(2000, 'x');
const { createServer } = require('node:http');
for (const port of ports) createServer((_, to) => to.end(answer)).listen(port, '127.0.0.1');
setTimeout(() => process.exit(1), 3600e3).unref();`;

interface Bench {
  readonly proxy: RealNginx;
  readonly service: ChildProcess;
  readonly ports: ReadonlyMap<string, number>;
}

function text(contender: Contender, port: number, servers: readonly [number, number]): string {
  const { app, split, balancer } = contender;
  const front = { app, domains: [], port, maxBodyBytes: 1e6, readTimeoutMs: 60_000 };
  const address = (index: 0 | 1) => `127.0.0.1:${servers[index]}`;
  if (balancer === true) {
    const hosts = ([0, 1] as const).map((index) => ({ name: `web-${index}`, address: address(index) }));
    return balancerConfig({ ...front, hosts, trustedProxies: [], split });
  }
  const site: Site = {
    ...front,
    routes: ['/'],
    root: `/srv/${app}`,
    headers: {},
    colours: {
      blue: { servers: [address(0)], release: 'R1' },
      green: { servers: [address(1)], release: 'R2' },
    },
    fallback: true,
    split: split === undefined ? undefined : ({ ...split, candidate: 'green' } satisfies SiteSplit),
  };
  return siteConfig(site);
}

async function prepare(): Promise<Bench> {
  const proxy = new RealNginx({ workers: 1 });
  const servers = [await freePort(), await freePort()] as const;
  const ports = new Map<string, number>();
  for (const contender of CONTENDERS) {
    const { app, split } = contender;
    const port = await freePort();
    ports.set(app, port);
    proxy.site(app, text(contender, port, servers));
    if (split === undefined) await proxy.shell(`weights_put ${app} ${PERCENT}`);
    else {
      await proxy.shell(`split_ready ${app}`);
      await proxy.share(
        app,
        shareFolder({ rollout: ROLLOUT, seed: 'seed', candidate: 'green', percent: PERCENT }),
      );
    }
  }
  await proxy.start();
  const service = spawn(process.execPath, ['-e', SERVICE, ...servers.map(String)], { stdio: 'inherit' });
  await delay(1000);
  return { proxy, service, ports };
}

/** Processor seconds that a process has used: on a busy machine a steadier measure than throughput. */
function processor(pid: number | undefined): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`);
  return tasks.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]), 0) / 1e9;
}

interface Measured {
  /** Requests a second. */
  readonly rate: number;
  /** Microseconds of nginx a request. */
  readonly nginx: number;
  /** And of the service. */
  readonly service: number;
}

async function measure(bench: Bench, { app, known }: Contender, forSeconds: number): Promise<Measured> {
  const url = `http://127.0.0.1:${bench.ports.get(app)}/`;
  const file = join(bench.proxy.folder, 'requests.lua');
  // Sites without a rollout get a cookie of the same length.
  writeFileSync(file, known ? visitors(`pipeline_${app === 'today' ? 'known' : app}_${ROLLOUT}`) : '');
  const used = () => [processor(bench.proxy.workers()[0]), processor(bench.service.pid)] as const;
  const before = used();
  const args = ['-t1', `-c${values.connections}`, `-d${forSeconds}s`, '-s', file, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  const after = used();
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}:\n${stdout}`);
  const each = (index: 0 | 1) => ((after[index] - before[index]) * 1e6) / requests;
  return { rate: requests / forSeconds, nginx: each(0), service: each(1) };
}

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

function print(results: ReadonlyMap<string, readonly Measured[]>): void {
  console.log("\nMedians over the rounds; ratios are medians of each round's own.");
  console.log('What one processor carries is of nginx and service together. Goal: ≥ 98 %.');
  for (const { app, title, beside } of CONTENDERS) {
    const own = results.get(app) ?? [];
    const other = results.get(beside ?? app) ?? [];
    const figure = (of: (one: Measured) => number, digits: number) =>
      median(own.map(of)).toFixed(digits).padStart(6);
    const ratio = (of: (one: Measured) => number) => {
      const shares = own.map((one, round) => of(one) / of(other[round] ?? one));
      return beside === undefined ? '        ' : `${(100 * median(shares)).toFixed(1).padStart(6)} %`;
    };
    const nginx = (one: Measured) => one.nginx;
    const carried = (one: Measured) => 1e6 / (one.nginx + one.service);
    console.log(
      `  ${title.padEnd(30)}${figure(({ rate }) => rate, 0)} requests/s,` +
        `${figure(nginx, 1)} µs of nginx a request ${ratio(nginx)};` +
        ` one processor carries ${figure(carried, 0)} ${ratio(carried)}`,
    );
  }
}

const wrk = spawnSync('wrk', ['-v']).error === undefined ? undefined : 'needs wrk: apt-get install wrk';
const missing = nginxUnavailable() ?? wrk;
if (missing !== undefined) {
  console.error(`bench split: ${missing}`);
  process.exit(2);
}
const bench = await prepare();
try {
  const results = new Map<string, Measured[]>();
  for (const contender of CONTENDERS) await measure(bench, contender, 1);
  for (let round = 0; round < rounds; round++) {
    // In turn from both ends: who comes later in a round has no advantage.
    for (const contender of round % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed()) {
      const measured = await measure(bench, contender, seconds);
      results.set(contender.app, [...(results.get(contender.app) ?? []), measured]);
    }
    console.log(`  round ${round + 1} of ${rounds}`);
  }
  print(results);
} finally {
  bench.service.kill();
  await bench.proxy.stop();
}
await measureReload();
