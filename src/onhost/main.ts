/**
 * The program on the host. `release` carries out the order on its standard input. `guard APP` watches a new
 * release. `ready` waits at boot until applications behind a balancer answer. `check APP COLOUR` checks the
 * processes of a colour. `run TOKEN` runs a command in a release. `rollout APP` carries a rollout on;
 * `rollout APP status` prints what it is at, `follow` whenever that changes, to its end; `rollout APP WORD
 * BY` tells it what somebody wants. `jobs APP` prints the application's jobs; `job-ended APP JOB` keeps what
 * a run came to; `jobs-after-boot` tells of runs that the host went down with.
 * `backup …` backs the host up and brings backups back.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { appRoot, type Colour } from '../contract/places.ts';
import {
  EXIT_ORDER_FAILED,
  type ReleaseEvent,
  type ReleaseOrder,
  type ReleaseStep,
} from '../contract/release.ts';
import { asFailure } from '../errors.ts';
import { BALANCED } from '../proxy/trust.ts';
import { BACKUP_USAGE, backup } from './backup/main.ts';
import { instancesIn } from './colours.ts';
import { runCommand } from './command.ts';
import { guard } from './guard.ts';
import { guardFolder } from './guard-files.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { jobsAfterBoot } from './jobs/boot.ts';
import { jobEnded, jobStatuses } from './jobs/runs.ts';
import { ready } from './ready.ts';
import { realHost } from './real/host.ts';
import { withLock } from './real/lock.ts';
import { carryOut } from './release.ts';
import { runRollout } from './rollout/actor.ts';
import { reportOf } from './rollout/record.ts';
import { followRollout, newestStatus, tellRollout } from './rollout/talk.ts';

const USAGE = `Usage: onhost release <ORDER | onhost guard APP | onhost ready | onhost check APP COLOUR
       onhost run TOKEN | onhost jobs APP | onhost job-ended APP JOB | onhost jobs-after-boot
       onhost rollout APP [status | report | follow | pause BY | resume BY | promote BY | abort BY]
${BACKUP_USAGE}`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function release(): Promise<number> {
  const interrupt = new Interrupt();
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => interrupt.request(128 + constants.signals[signal]));
  }
  // A reader that has gone ends the release.
  process.stdout.on('error', () => interrupt.request(128 + constants.signals.SIGPIPE));
  const tell = (event: ReleaseEvent) => print(JSON.stringify(event));
  const order = JSON.parse(await text(process.stdin)) as ReleaseOrder;
  try {
    await withLock(appOf(order), () => carryOut(order, realHost, tell, interrupt));
    tell({ event: 'end' });
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    const failure = asFailure(error);
    for (const line of failure.output) tell({ event: 'log', line });
    const step = (failure.step ?? 'lock') as ReleaseStep;
    tell({ event: 'failed', step, detail: failure.message });
    return EXIT_ORDER_FAILED;
  }
}

function appOf(order: ReleaseOrder): string {
  switch (order.verb) {
    case 'end-rollout':
      return order.app;
    case 'divide':
      return order.rollout.settle.manifest.app;
    case 'settle':
      return order.settle.manifest.app;
    case 'revert':
      return order.placed.manifest.app;
    default:
      return order.takeOver.manifest.app;
  }
}

/** A watch that an older pipeline began has its own program, in bash. */
async function watch(app: string): Promise<number> {
  const old = `${guardFolder(app)}/watch`;
  if (existsSync(old)) return spawnSync('bash', [old], { stdio: 'inherit' }).status ?? 1;
  return (await guard(app, realHost, withLock, print)) ? 0 : 1;
}

async function check(app: string, colour: Colour): Promise<number> {
  let unwell = 0;
  for (const { address, port } of await instancesIn(realHost, app, colour)) {
    const { healthy, said } = await realHost.check(`${appRoot(app)}/${colour}`, `${address}:${port}`);
    print(`${address}:${port} ${said}`);
    if (!healthy) unwell += 1;
  }
  return unwell === 0 ? 0 : 1;
}

async function rollout(app: string, [what, by]: readonly string[]): Promise<number> {
  if (what === undefined) return (await runRollout(app, realHost, withLock, print)) ? 0 : 1;
  if (what === 'status') {
    const status = await newestStatus(app, realHost);
    if (status !== undefined) print(status);
    return 0;
  }
  if (what === 'report') {
    const status = await newestStatus(app, realHost);
    if (status !== undefined) print(await reportOf(realHost, status));
    return 0;
  }
  if (what === 'follow') {
    await followRollout(app, realHost, print);
    return 0;
  }
  const heard = await tellRollout(app, realHost, what, by ?? '');
  if (heard === 'silent') process.stderr.write('its process does not hear; the word waits for it\n');
  return heard === 'heard' ? 0 : 1;
}

async function main([verb, app, ...rest]: readonly string[]): Promise<number> {
  if (verb === 'release') return release();
  if (verb === 'guard' && app !== undefined) return watch(app);
  if (verb === 'rollout' && app !== undefined) return rollout(app, rest);
  if (verb === 'jobs' && app !== undefined) {
    print(JSON.stringify(await jobStatuses(app, realHost)));
    return 0;
  }
  if (verb === 'run' && app !== undefined && /^[0-9a-f]+$/.test(app)) return runCommand(app, realHost);
  if (verb === 'backup') {
    const code = await backup([app, ...rest].flatMap((word) => word ?? []));
    if (code !== undefined) return code;
  }
  const [colour] = rest;
  if (verb === 'job-ended' && app !== undefined && colour !== undefined) {
    const { SERVICE_RESULT = '', EXIT_CODE = '', EXIT_STATUS = '' } = process.env;
    const end = { result: SERVICE_RESULT, code: EXIT_CODE, status: EXIT_STATUS };
    await jobEnded(app, colour, end, realHost);
    return 0;
  }
  if (verb === 'check' && app !== undefined && (colour === 'blue' || colour === 'green')) {
    return check(app, colour);
  }
  if (verb === 'jobs-after-boot') {
    await jobsAfterBoot(realHost);
    return 0;
  }
  if (verb === 'ready') {
    await ready(realHost, BALANCED);
    return 0;
  }
  process.stderr.write(USAGE);
  return 2;
}

process.umask(0o022);
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
