/**
 * What nginx's reload costs visitors, beside moving a share: lost requests on connections that are kept,
 * the slowest answer, and what old workers hold as long as a long connection lasts. A rollout reloads
 * twice, when it begins and when it ends; its steps, its return and its promotion only move the share.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { shareFolder } from '../../src/proxy/shares.ts';
import { siteConfig } from '../../src/proxy/site.ts';
import { freePort, RealNginx } from '../../test/proxy/real-nginx.ts';
import { startLoad } from '../../test/support/load.ts';

const RATE = 500;
const LONG_CONNECTIONS = 100;
const TURNS = 20;
const DISTANCE_MS = 20;
const ROLLOUT = '0123abcd';

/** Ends a long answer after a minute, whatever its client does. */
const SERVICE = `require('node:http').createServer((asked, answer) => {
  if (asked.url !== '/long') return void asked.resume().on('end', () => answer.end('ok'));
  const timer = setInterval(() => answer.write('.'), 500);
  const end = setTimeout(() => answer.end(), 60e3);
  answer.on('close', () => { clearInterval(timer); clearTimeout(end); });
}).listen(process.argv[1], '127.0.0.1');`;

/** Megabytes that are this process's alone: `Private_Clean` and `Private_Dirty`. */
function ownMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_\w+: +(\d+) kB/gm)].reduce((sum, [, kB]) => sum + Number(kB), 0) / 1024;
}

/** Connections whose answers take a minute; counts those that break before they are closed here. */
function holdLong(port: number): { readonly broken: () => number; close(): void } {
  const agent = new Agent({ maxSockets: LONG_CONNECTIONS });
  let broken = 0;
  let closing = false;
  const lost = () => {
    if (!closing) broken++;
  };
  const requests = Array.from({ length: LONG_CONNECTIONS }, () =>
    get({ host: '127.0.0.1', port, path: '/long', agent }, (answer) => {
      answer.resume();
      answer.once('close', lost);
    }).on('error', () => {}),
  );
  return {
    broken: () => broken,
    close: () => {
      closing = true;
      for (const one of requests) one.destroy();
    },
  };
}

async function underLoad(
  port: number,
  what: string,
  turn: (at: number) => void | Promise<void>,
): Promise<void> {
  const load = startLoad({
    url: `http://127.0.0.1:${port}/`,
    method: 'POST',
    body: 'x',
    rate: RATE,
    keepAlive: true,
  });
  await delay(1000);
  for (let at = 0; at < TURNS; at++) {
    await turn(at);
    await delay(500);
  }
  const { sent, ok, others, slowest } = await load.stop();
  const lost = Object.entries(others).map(([name, count]) => `${count} × ${name}`);
  const why = lost.length === 0 ? '' : ` (${lost.join(', ')})`;
  console.log(
    `  ${what.padEnd(32)} ${sent} requests, ${sent - ok} lost${why}, slowest ${slowest.toFixed(0)} ms`,
  );
}

/** Visitors who are 20 ms away, as loopback is not: all that goes through here arrives so much later. */
async function distant(port: number): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const later = (from: Socket, to: Socket) => {
    sockets.add(from.setNoDelay());
    from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), DISTANCE_MS));
    from.on('end', () => setTimeout(() => to.end(), DISTANCE_MS));
    // A reset, which is what a request that came too late gets.
    from.on('error', () => setTimeout(() => to.resetAndDestroy(), DISTANCE_MS));
    from.on('close', () => sockets.delete(from));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    later(near, far);
    later(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function compare(nginx: RealNginx, near: number): Promise<void> {
  const relay = await distant(near);
  const { port } = relay;
  const long = holdLong(near);
  await delay(500);
  await underLoad(port, 'nothing changes', () => {});
  const before = new Set(nginx.workers());
  await underLoad(port, `${TURNS} reloads`, () => nginx.signal('SIGHUP'));
  const left = nginx.workers().filter((pid) => before.has(pid));
  const memory = left.reduce((sum, pid) => sum + ownMegabytes(pid), 0);
  console.log(
    `  ${left.length} workers from before hold ${LONG_CONNECTIONS} long connections and ` +
      `${memory.toFixed(1)} MB; ${long.broken()} long connections broke.`,
  );
  long.close();
  await underLoad(port, `${TURNS} moves of the share`, (at) => moveShare(nginx, 5 * (at % 20)));
  relay.close();
}

function moveShare(nginx: RealNginx, percent: number): Promise<void> {
  return nginx.share('shop', shareFolder({ rollout: ROLLOUT, seed: 'seed', candidate: 'green', percent }));
}

function startService(port: number): ChildProcess {
  return spawn(process.execPath, ['-e', SERVICE, String(port)], { stdio: 'inherit' });
}

/** Prints what reloads cost. Takes about 40 s. */
export async function measureReload(): Promise<void> {
  const nginx = new RealNginx();
  const [port, behind] = [await freePort(), await freePort()];
  const service = startService(behind);
  try {
    const backend = { servers: [`127.0.0.1:${behind}`], release: 'R1' };
    nginx.site(
      'shop',
      siteConfig({
        app: 'shop',
        domains: [],
        port,
        routes: ['/'],
        root: '/srv/shop',
        maxBodyBytes: 1e6,
        readTimeoutMs: 60_000,
        headers: {},
        colours: { blue: backend, green: backend },
        fallback: true,
        split: { rollout: ROLLOUT, candidate: 'green', key: { by: 'visitor', seconds: 600 } },
      }),
    );
    await nginx.shell('split_ready shop');
    await moveShare(nginx, 0);
    await nginx.start();
    await delay(500);
    console.log(`\nAt ${RATE} requests/s on kept connections, ${DISTANCE_MS} ms away:`);
    await compare(nginx, port);
  } finally {
    service.kill();
    await nginx.stop();
  }
}
