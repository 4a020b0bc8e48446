/** The agent: what runs on every host. Bundled into one file, `agent.js`. */
import { parseArgs } from 'node:util';
import { asFailure, Failure } from '../errors.ts';
import { runStream, trafficSource, unitSource } from './stream.ts';

const USAGE = `agent.js stream --nginx-log PATH | --unit NAME.service [--interval SECONDS] [--until-stdin-ends]`;

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  if (command === 'stream') return stream(rest, stop.signal);
  throw new Failure('usage', `The agent knows no command "${command ?? ''}".`, { next: `Usage: ${USAGE}` });
}

async function stream(args: string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      'nginx-log': { type: 'string' },
      unit: { type: 'string' },
      interval: { type: 'string', default: '1' },
      'until-stdin-ends': { type: 'boolean', default: false },
    },
  });
  const intervalSeconds = Number(values.interval);
  if (!(intervalSeconds >= 0.1 && intervalSeconds <= 3600)) {
    throw new Failure('usage', `--interval takes 0.1 to 3600 seconds, not "${values.interval}".`);
  }
  const { unit, 'nginx-log': logPath } = values;
  if ((unit === undefined) === (logPath === undefined)) {
    throw new Failure('usage', 'stream takes either --nginx-log or --unit.', { next: `Usage: ${USAGE}` });
  }
  const source = unit === undefined ? trafficSource(logPath ?? '') : unitSource(unit);
  await runStream(source, { intervalSeconds, untilStdinEnds: values['until-stdin-ends'], signal });
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (thrown: unknown) => {
    const failure = asFailure(thrown);
    process.stderr.write(`${failure.message}${failure.next === undefined ? '' : ` ${failure.next}`}\n`);
    process.exit(failure.exitCode);
  },
);
