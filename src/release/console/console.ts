/** A command in a release on one host, joined to our own terminal or pipes. */
import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { appNamed } from '../../build/build.ts';
import type { Context } from '../../context.ts';
import { COMMANDS, type CommandOrder } from '../../contract/command.ts';
import { withPasswords } from '../../database/index.ts';
import { whoami } from '../../environment/audit.ts';
import { asFailure, Failure } from '../../errors.ts';
import { runTool } from '../../process/tool.ts';
import { connect } from '../../ssh/openssh.ts';
import { command, quote } from '../../ssh/quote.ts';
import { hostNamed } from '../hosts.ts';
import { lookAt } from '../look/look.ts';
import { chooseRelease } from '../plan/choose.ts';
import { liveRelease } from '../plan/decide.ts';
import { bringProgram, programCommand, programName } from '../send/program.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import { commandOrder } from './order.ts';

/** How long an interrupted command may take to end. */
const END_SECONDS = 10;

export interface CommandRequest extends AppOnHosts {
  /** Name of one of its hosts; undefined: the first. */
  readonly host: string | undefined;
  /** As `releases` lists it, or a commit; undefined: the live one. */
  readonly release: string | undefined;
  readonly words: readonly string[];
  /** Where our own standard input, output and error are one terminal, and the command shall have it. */
  readonly terminal: boolean;
  /** Collect what it prints instead of passing it on. */
  readonly collect: boolean;
}

export interface CommandResult {
  readonly host: string;
  readonly release: string;
  /** The command's; 128 and the signal's number where one ended it. */
  readonly exitCode: number;
  /** Empty, unless collected. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs it to its end. An interrupt reaches the command, whose exit code then still counts.
 * @throws Failure kind `usage`: no such host or release
 */
export async function runInRelease(request: CommandRequest, context: Context): Promise<CommandResult> {
  const { app, config, words, terminal } = request;
  const host = request.host === undefined ? request.hosts[0] : hostNamed(request, request.host);
  if (host === undefined) throw new Error('an application has a host');
  const found = await lookAt(app, [host], context);
  const facts = found[0]?.facts;
  const release =
    request.release === undefined ? facts && liveRelease(facts) : chooseRelease(app, request.release, found);
  if (facts === undefined || release === undefined) throw nothingLive(app, host);
  await bringProgram(host.connection, facts, null, context);
  const token = randomBytes(8).toString('hex');
  const secrets = Object.keys(withPasswords(appNamed(config, app)));
  const by = request.by ?? whoami(context);
  const order = commandOrder(release.manifest, { token, by, words, terminal, secrets });
  await leave(host, token, order, context);
  const ran = await join(host, order, token, request.collect, context);
  return { host: host.name, release: release.manifest.release, ...ran };
}

function nothingLive(app: string, { name }: ReleaseHost): Failure {
  return new Failure('usage', `${app} has no live release on ${name}`, {
    next: `Deploy it (pipeline deploy ${app}), or name one with --release: pipeline releases ${app}`,
  });
}

/** Lays the order down: the command's own input goes over the connection that runs it. */
async function leave(
  { connection }: ReleaseHost,
  token: string,
  order: CommandOrder,
  context: Context,
): Promise<void> {
  const script = `install -d -m 0700 ${COMMANDS} && umask 077 &&
printf %s ${quote(JSON.stringify(order))} >${COMMANDS}/${token}.json`;
  const label = `order a command in ${order.app}`;
  await connection.check(script, { label, shown: label, signal: context.signal });
}

/** Joins the command to our own terminal, or to our pipes. */
async function join(
  { connection }: ReleaseHost,
  order: CommandOrder,
  token: string,
  collect: boolean,
  context: Context,
): Promise<Pick<CommandResult, 'exitCode' | 'stdout' | 'stderr'>> {
  const { user } = connection.target;
  const line = `env LC_ALL=C.UTF-8 ${programCommand(await programName())} run ${token}`;
  const args = [
    ...(order.terminal ? ['-tt'] : ['-T']),
    // Without a word of its own on how the connection ended.
    ...['-o', 'LogLevel=ERROR'],
    ...connection.sshArguments(),
    user === 'root' ? line : `${command(['sudo', '-n', '-H', '--'])} ${line}`,
  ];
  let interrupting: Promise<void> | undefined;
  const interrupt = () => {
    interrupting ??= endThere(connection.target, order.unit, context);
  };
  context.signal.addEventListener('abort', interrupt, { once: true });
  // It goes on until the command has ended, so it does not end with us; nor does our Ctrl-C reach it.
  const lasting: Context = { ...context, signal: new AbortController().signal };
  const outputs = collect ? {} : ({ stdout: 'ours', stderr: 'ours' } as const);
  try {
    const { exitCode, stdout, stderr } = await runTool('ssh', args, lasting, {
      ...outputs,
      hideOutput: true,
      input: order.terminal ? 'ours' : (stdin) => pipeline(process.stdin, stdin),
    });
    return { exitCode, stdout, stderr };
  } finally {
    context.signal.removeEventListener('abort', interrupt);
    await interrupting;
  }
}

/** As Ctrl-C would at a terminal of the host; what does not heed it is stopped. */
async function endThere(
  target: ReleaseHost['connection']['target'],
  unit: string,
  context: Context,
): Promise<void> {
  const lasting: Context = { ...context, signal: AbortSignal.timeout(60_000) };
  const connection = connect(target, lasting);
  const script = `systemctl kill --signal=INT ${quote(unit)} 2>/dev/null || exit 0
for _ in $(seq ${END_SECONDS * 5}); do systemctl is-active --quiet ${quote(unit)} || exit 0; sleep 0.2; done
systemctl stop ${quote(unit)}`;
  try {
    await connection.script(script, { label: 'interrupt the command', signal: lasting.signal });
  } catch (error) {
    context.trace(`${target.name}: the command could not be interrupted: ${asFailure(error).message}`);
  } finally {
    await connection.close();
  }
}
