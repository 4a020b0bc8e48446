/**
 * What visitors of a service in each runtime lose while it is deployed, fails to be, goes back, restarts, is
 * closed and opened; and how long each takes with dependencies there. One local host, visitors all the time.
 *
 *   node bench/run.mjs runtimes [--rate 500] [--only node,python,go,ruby,bun,deno,static,tomcat]
 *
 * Needs `npm run build`, root, Go, the registries of npm and PyPI, and a JDK for tomcat.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type AppProject, appProject } from '../../test/support/app-project.ts';
import { SERVICES, type Service } from './services.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '500' },
    only: { type: 'string', default: Object.keys(SERVICES).join(',') },
  },
});
const rate = Number(values.rate);
const chosen = values.only.split(',').map((name): [string, Service] => {
  const service = SERVICES[name];
  if (service === undefined) throw new Error(`there is no ${name}: ${Object.keys(SERVICES).join(', ')}`);
  return [name, service];
});
const port = (index: number) => 8081 + index;

const apps = chosen.map(([name, { yaml }], index) => {
  const lines = [
    `source: ${name}`,
    'hosts: [web]',
    `site: { port: ${port(index)} }`,
    'health: { path: /, contains: Hello, within: 30s }',
    'watch: 0s',
    ...yaml,
  ];
  return `  ${name}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
});
const roles = chosen.some(([name]) => name === 'tomcat') ? ['nginx', 'tomcat'] : ['nginx'];
const project = appProject(apps.join(''), { roles, memory: '2G' });

function put(name: string, { files, make }: Service, answer: string, more: Record<string, string> = {}) {
  const folder = join(project.path, name);
  project.write(name, { ...files(answer), ...more });
  if (make !== undefined) execFileSync('sh', ['-c', make], { cwd: folder });
  project.commit(name, {});
}

/** Runs a command. @returns seconds @throws where its exit code is another one */
async function timed(of: AppProject, code: number, ...args: readonly string[]): Promise<number> {
  const began = performance.now();
  const ended = await of.pipeline(...args);
  if (ended.exitCode !== code) {
    throw new Error(`${args.join(' ')}: exit ${ended.exitCode}\n${ended.stdout}${ended.stderr}`);
  }
  return (performance.now() - began) / 1000;
}

interface Row {
  readonly what: string;
  readonly seconds: number;
  readonly sent: number;
  readonly lost: string;
}

async function measure(name: string, service: Service, at: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const row = async (what: string, closed: boolean, work: () => Promise<number>) => {
    let seconds = 0;
    const load = await project.during(
      at,
      async () => {
        await delay(500);
        seconds = await work();
        await delay(500);
      },
      rate,
    );
    const { 'status 503': told = 0, ...others } = load.others;
    const lost = closed ? others : load.others;
    const text = Object.entries(lost).map(([why, count]) => `${count} × ${why}`);
    rows.push({ what, seconds, sent: load.sent, lost: text.join(', ') || '0' });
    if (closed && told === 0) throw new Error('nobody was told that it is closed');
  };
  put(name, service, 'Hello 2');
  await row('deploy', false, () => timed(project, 0, 'deploy', name));
  // Files have no process that could fail.
  if (name !== 'static') {
    put(name, service, 'Goodbye');
    await row('failed deploy', false, () => timed(project, 3, 'deploy', name));
  }
  await row('rollback', false, () => timed(project, 0, 'rollback', name));
  if (name !== 'static') await row('restart', false, () => timed(project, 0, 'restart', name));
  await row('maintenance', true, async () => {
    const on = await timed(project, 0, 'maintenance', 'on', name);
    await delay(500);
    return on + (await timed(project, 0, 'maintenance', 'off', name));
  });
  return rows;
}

try {
  await timed(project, 0, 'prod', 'up');
  console.log(`${rate} requests a second, connections kept\n`);
  for (const [index, [name, service]] of chosen.entries()) {
    const { lock } = service;
    const more = lock === undefined ? {} : { [lock.path]: await project.on(lock.script) };
    put(name, service, 'Hello 1', more);
    await timed(project, 0, 'deploy', name);
    // Both colours have been there once, so that the site's file stays what it is.
    put(name, service, 'Hello 1 again');
    await timed(project, 0, 'deploy', name);
    for (const { what, seconds, sent, lost } of await measure(name, service, port(index))) {
      console.log(
        `${name.padEnd(8)} ${what.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  lost ${lost} of ${sent}`,
      );
    }
  }
  console.log(`\nload of the machine afterwards: ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}`);
} finally {
  await project.remove();
}
