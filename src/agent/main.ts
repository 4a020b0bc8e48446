/** The agent: what runs on every host. Bundled into one file, `agent.js`. */
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { AGENT_CONFIG } from '../contract/agent.ts';
import type { WantedNumber } from '../contract/numbers.ts';
import type { ProbeWish } from '../contract/probe.ts';
import { asFailure, Failure } from '../errors.ts';
import { readConfig } from './config.ts';
import { numbersSource } from './numbers.ts';
import { probe } from './probe.ts';
import { run } from './run.ts';
import { runStream, trafficSource, unitSource } from './stream.ts';
import { VERSION } from './version.ts';

const USAGE = `Usage:
  agent.js run [--config ${AGENT_CONFIG}]       measure this host and send samples to the monitor
  agent.js check [--config FILE]                        read the configuration and say what is wrong with it
  agent.js stream --nginx-log PATH [--interval SECONDS] [--until-stdin-ends]
  agent.js stream --unit NAME.service… [--interval SECONDS] [--until-stdin-ends]
  agent.js stream --numbers JSON [--interval SECONDS] [--until-stdin-ends]
                                                        print what happens, one JSON document a second
  agent.js probe                                        ask a service what standard input says (the lab's)
  agent.js version`;

async function main(args: readonly string[]): Promise<void> {
  const [command = '', ...rest] = args;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  switch (command) {
    case 'run':
      return run(readConfig(configPath(rest)), stop.signal, say);
    case 'check':
      readConfig(configPath(rest));
      return say('Configuration OK.');
    case 'stream':
      return stream(rest, stop.signal);
    case 'probe':
      process.stdout.write(`${JSON.stringify(await probe(await wishOnInput()))}\n`);
      return;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return;
    default:
      throw usage(command === '' ? 'No command was given.' : `The agent has no command "${command}".`);
  }
}

async function wishOnInput(): Promise<ProbeWish> {
  return JSON.parse(await text(process.stdin)) as ProbeWish;
}

/** For the journal, which adds the time. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function usage(message: string): Failure {
  return new Failure('usage', message, { next: USAGE });
}

function configPath(args: string[]): string {
  return options(args, { config: { type: 'string', default: AGENT_CONFIG } }).config as string;
}

async function stream(args: string[], signal: AbortSignal): Promise<void> {
  const values = options(args, {
    'nginx-log': { type: 'string' },
    unit: { type: 'string', multiple: true },
    numbers: { type: 'string' },
    interval: { type: 'string', default: '1' },
    'until-stdin-ends': { type: 'boolean', default: false },
  });
  const {
    unit,
    'nginx-log': logPath,
    numbers,
  } = values as {
    unit?: string[];
    'nginx-log'?: string;
    numbers?: string;
  };
  const intervalSeconds = Number(values.interval);
  if (!(intervalSeconds >= 0.1 && intervalSeconds <= 3600)) {
    throw usage(`--interval takes 0.1 to 3600 seconds, not "${values.interval}".`);
  }
  if ([unit, logPath, numbers].filter((one) => one !== undefined).length !== 1)
    throw usage('stream takes one of --nginx-log, --unit and --numbers.');
  const source =
    numbers !== undefined
      ? numbersSource(JSON.parse(numbers) as WantedNumber[])
      : unit === undefined
        ? trafficSource(logPath ?? '')
        : await unitSource(unit);
  await runStream(source, { intervalSeconds, untilStdinEnds: values['until-stdin-ends'] === true, signal });
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function options(args: string[], known: Options): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args, options: known }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (thrown: unknown) => {
    const failure = asFailure(thrown);
    say([failure.message, failure.next].filter(Boolean).join('\n'));
    process.exit(failure.exitCode);
  },
);
