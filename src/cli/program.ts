/**
 * The whole program as a function of arguments and surroundings: parse, run one command, show its result or
 * its failure, give the exit code.
 */
import { Command, CommanderError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { Context, ProgressEvent } from '../context.ts';
import { asFailure, Failure } from '../errors.ts';
import { redactor, secretsIn } from '../redact.ts';
import {
  COMMON_OPTIONS,
  type CommandDefinition,
  type OptionDefinition,
  type OptionValues,
  type Session,
} from './command.ts';
import { type CommandName, definitions } from './definitions.ts';
import { failureDocument, failureText, withoutSecrets } from './failure.ts';
import { handlers } from './handlers.ts';
import { createOutput, type Output } from './output.ts';

export interface ProgramSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Aborted at the first Ctrl-C. */
  readonly interrupted: AbortSignal;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly destroyed?: boolean | undefined;
  once?(event: 'drain' | 'close', listener: () => void): unknown;
  off?(event: 'drain' | 'close', listener: () => void): unknown;
}

const HELP_AFTER = `
Exit codes: 0 done · 1 a fault of ours · 2 your mistake · 3 a host or the cloud failed · 4 locked ·
            5 rejected or taken back · 6 inconclusive or held`;

/** Progress as it may be shown. */
function quietly(event: ProgressEvent, hide: (text: string) => string): ProgressEvent {
  return { ...event, stage: hide(event.stage), detail: event.detail && hide(event.detail) };
}

/** Runs one command line. Never throws; returns the exit code. */
export async function runProgram(
  argv: readonly string[],
  surroundings: ProgramSurroundings,
): Promise<number> {
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  const output = outputFor(surroundings, json);
  const secrets = secretsIn(surroundings.env);
  const hide = redactor(secrets);
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(interruption(output));
  surroundings.interrupted.addEventListener('abort', onInterrupt, { once: true });
  let verbose = false;
  const outcome: { exitCode: number } = { exitCode: 0 };

  const program = assemble(surroundings.stdout, async (name, args, options) => {
    const common = options as OptionValues<typeof COMMON_OPTIONS>;
    verbose = common.verbose;
    const context: Context = {
      env: surroundings.env,
      cwd: surroundings.cwd,
      signal: stop.signal,
      progress: (event) => output.progress(quietly(event, hide)),
      trace: verbose ? (line) => output.line(output.colors.dim(hide(line))) : () => {},
      now: () => new Date(),
    };
    const streams = {
      isTerminal: surroundings.stdout.isTTY === true && surroundings.env.TERM !== 'dumb',
      write: writer(surroundings.stdout),
      complain: (text: string) => void surroundings.stderr.write(`${hide(text)}\n`),
    };
    const session: Session = { context, output, streams, arguments: args, common };
    const handler = await handlers[name]();
    const result = await handler(options as never, session);
    output.end();
    if (json && result.json !== undefined)
      surroundings.stdout.write(`${JSON.stringify(result.json, null, 2)}\n`);
    outcome.exitCode = result.exitCode ?? 0;
  });
  try {
    await program.parseAsync(helpForKnown(program, argv), { from: 'user' });
    return outcome.exitCode;
  } catch (thrown) {
    output.end();
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const thrownFailure = stop.signal.aborted ? (stop.signal.reason as Failure) : usageOf(thrown);
    const failure = withoutSecrets(thrownFailure, secrets);
    output.line(failureText(failure, output.colors));
    if (verbose && failure.kind === 'internal') output.line(output.colors.dim(hide(causeText(failure))));
    output.end();
    if (json) surroundings.stdout.write(`${JSON.stringify(failureDocument(failure), null, 2)}\n`);
    return failure.exitCode;
  } finally {
    surroundings.interrupted.removeEventListener('abort', onInterrupt);
  }
}

type Run = (
  name: CommandName,
  args: Session['arguments'],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>;

/** The tree of commands, from the definitions. */
function assemble(stdout: Stream, run: Run): Command {
  const root = new Command('pipeline');
  // Before the first sub-command: they copy it when they are made.
  root.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: () => {},
    getOutHelpWidth: () => stdout.columns ?? 100,
  });
  root
    .description(
      'Hosts made by one command, applications deployed without dropping a request, versions ' +
        'judged by statistics.',
    )
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', HELP_AFTER)
    .showSuggestionAfterError(true)
    // `judge serve` and `judge` have options of the same name.
    .enablePositionalOptions()
    .exitOverride(withHelp('pipeline'));
  const groups = new Map<string, Command>();
  for (const [name, definition] of Object.entries(definitions) as [CommandName, CommandDefinition][]) {
    const words = definition.path.split(' ');
    const leaf = words.pop() ?? '';
    const parent = words.length === 0 ? root : groupOf(root, groups, words.join(' '));
    const command = parent
      .command(leaf)
      .summary(definition.summary)
      .exitOverride(withHelp(`pipeline ${definition.path}`))
      .showSuggestionAfterError(true);
    command.description(sentence(definition));
    if (definition.alias !== undefined) command.alias(definition.alias);
    for (const argument of definition.arguments ?? []) command.argument(argument.name, argument.description);
    const options = { ...definition.options, ...COMMON_OPTIONS };
    for (const option of Object.values<OptionDefinition>(options)) command.addOption(toCommander(option));
    if (definition.examples !== undefined) {
      command.addHelpText(
        'after',
        `\nExamples:\n${definition.examples.map((example) => `  ${example}`).join('\n')}`,
      );
    }
    groups.set(definition.path, command);
    command.action(async (...parameters: unknown[]) => {
      const args = parameters.slice(0, definition.arguments?.length ?? 0) as Session['arguments'];
      await run(name, args, valuesOf(options, command));
    });
  }
  return root;
}

/**
 * Help is for commands that exist: of any other the arguments without it, so that the word is refused as it
 * is without `--help`.
 */
function helpForKnown(root: Command, argv: readonly string[]): string[] {
  const asked = argv[0] === 'help' ? argv.slice(1) : argv;
  let command = root;
  for (const word of asked) {
    if (word.startsWith('-') || command.commands.length === 0) return [...argv];
    const known = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    // `judge FILE`: a command beside which another stands.
    if (known === undefined && command.registeredArguments.length > 0) return [...argv];
    if (known === undefined && word !== 'help') return asked.filter((one) => !['-h', '--help'].includes(one));
    if (known === undefined) return [...argv];
    command = known;
  }
  return [...argv];
}

function groupOf(root: Command, groups: Map<string, Command>, word: string): Command {
  const existing = groups.get(word);
  if (existing !== undefined) return existing;
  const group = root
    .command(word)
    .summary(GROUPS[word] ?? '')
    .description(GROUPS[word] ?? '')
    .exitOverride(withHelp(`pipeline ${word}`));
  groups.set(word, group);
  return group;
}

const GROUPS: Readonly<Record<string, string>> = {
  prod: 'the hosts: plan, up, status, ssh, replace, destroy',
  rollout: 'a new version that is let in step by step: status, watch, pause, resume, promote, abort',
  maintenance: 'a page instead of the site: on, off',
  backup: 'backups away from the hosts: now, list, verify',
  monitor: 'what watches the hosts',
};

function sentence(definition: CommandDefinition): string {
  const summary = definition.summary.charAt(0).toUpperCase() + definition.summary.slice(1);
  return definition.description === undefined ? `${summary}.` : `${summary}.\n\n${definition.description}`;
}

function toCommander(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices !== undefined) option.choices([...definition.choices]);
  if (definition.type === 'number') option.argParser((text) => numberFrom(text, definition.flags));
  if (definition.type === 'duration') option.argParser((text) => durationFrom(text, definition.flags));
  return option;
}

function numberFrom(text: string, flags: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new Failure('usage', `${flags}: "${text}" is not a number`);
}

function durationFrom(text: string, flags: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null)
    throw new Failure('usage', `${flags}: "${text}" is not a duration`, {
      next: 'Write it like 30s, 2m or 1h.',
    });
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h'];
  return Math.round(Number(match[1]) * unit);
}

/** The parsed options under the names that the definition gives them; flags that are absent are false. */
function valuesOf(
  options: Readonly<Record<string, OptionDefinition>>,
  command: Command,
): Readonly<Record<string, unknown>> {
  const parsed = command.opts();
  return Object.fromEntries(
    Object.entries(options).map(([key, definition]) => {
      const value = parsed[new Option(definition.flags).attributeName()];
      // A text that may be left out is empty then.
      return [key, definition.type === 'flag' ? value === true : value === true ? '' : value];
    }),
  );
}

/** Throws what commander found. Where it suggests nothing, it points to the help of this command. */
function withHelp(command: string): (error: CommanderError) => never {
  return (error) => {
    if (error.exitCode === 0 || error.message.includes('\n')) throw error;
    const [said, what] =
      error.code === 'commander.help'
        ? ['which command?', 'lists them all']
        : [error.message, 'shows how it is used'];
    throw new CommanderError(error.exitCode, error.code, `${said}\n(${command} --help ${what}.)`);
  };
}

/** What commander threw is the user's mistake; everything else is what it is. */
function usageOf(thrown: unknown): Failure {
  if (!(thrown instanceof CommanderError)) return asFailure(thrown);
  const [message = '', suggestion] = thrown.message.replace(/^error: /, '').split('\n');
  return new Failure('usage', message, { next: suggestion?.replace(/^\((.*)\)$/, '$1') });
}

function outputFor({ env, stdout, stderr }: ProgramSurroundings, json: boolean): Output {
  const stream = json ? stderr : stdout;
  const terminal = stream.isTTY === true && env.TERM !== 'dumb';
  const inContinuousIntegration = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  return createOutput({
    sink: { write: (text) => stream.write(text), isTTY: terminal, columns: stream.columns ?? 100 },
    color: terminal && (env.NO_COLOR ?? '') === '' && !inContinuousIntegration,
    interactive: terminal && !inContinuousIntegration,
    now: () => performance.now(),
  });
}

/** Writes no faster than it is read; resolves with false once nobody reads any more. */
function writer(stream: Stream): (text: string) => Promise<boolean> {
  return async (text) => {
    if (stream.destroyed === true) return false;
    if (stream.write(text) !== false) return true;
    return new Promise((resolve) => {
      const end = (more: boolean) => () => {
        stream.off?.('drain', onDrain);
        stream.off?.('close', onClose);
        resolve(more);
      };
      const [onDrain, onClose] = [end(true), end(false)];
      stream.once?.('drain', onDrain);
      stream.once?.('close', onClose);
    });
  };
}

function interruption(output: Output): Failure {
  const unfinished = output.unfinished();
  const half = unfinished.length === 0 ? 'nothing was under way' : `half done: ${unfinished.join('; ')}`;
  return new Failure('interrupted', `stopped; ${half}`, {
    next: 'Run the same command again: it goes on from there.',
  });
}

function causeText(failure: Failure): string {
  const cause = failure.cause;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
