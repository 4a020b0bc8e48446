/** `pipeline logs SUBJECT`: what an application or a host logs, of all hosts, in one order. */
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import { hidingLines } from '../../logs/hide.ts';
import type { LogLine } from '../../logs/line.ts';
import { JournalSource } from '../../logs/remote/journal.ts';
import { everything, following, latest, type Troubles } from '../../logs/remote/read.ts';
import { RequestSource } from '../../logs/remote/requests.ts';
import type { LogSource, Reading } from '../../logs/remote/source.ts';
import { secretsIn } from '../../redact.ts';
import { readKept } from '../../release/index.ts';
import type { Connection } from '../../ssh/connection.ts';
import { connect } from '../../ssh/openssh.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { failureText } from '../failure.ts';
import { type Asked, readOptions } from '../logs/asked.ts';
import { type LineSink, lineSink } from '../logs/pager.ts';
import { documentLine, shownLine } from '../logs/show.ts';
import { findSubject, type Subject } from '../logs/subject.ts';

export const logs: Handler<typeof definitions.logs> = async (options, session) => {
  const { context } = session;
  const asked = readOptions(options, context.now());
  const config = await loadConfig(session.common.config, context);
  const subject = await findSubject(argument(session, 0) ?? '', options, config, session);
  const isApp = subject.app !== undefined;
  if (!isApp && (asked.requests || options.release !== undefined || options.colour !== undefined))
    throw new Failure('usage', 'requests, releases and colours are those of an application', {
      next: 'Name the application, with --host for one host.',
    });
  if (isApp && options.unit !== undefined)
    throw new Failure('usage', '--unit is for a host', { next: 'Name the host instead of the application.' });
  const connections = [...subject.targets, ...(asked.requests ? subject.balancers : [])].map((target) =>
    connect(target, context),
  );
  const sources = connections.flatMap((connection) =>
    sourcesOf(connection, { asked, subject, config, session }),
  );
  const sink = lineSink(session, !asked.follow);
  const away = new Away(sink, session);
  try {
    const names = connections.map(({ target }) => target.name);
    await show(sources, asked, { sink, away, names, session });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
    await sink.end();
  }
  return { json: undefined, exitCode: away.any ? EXIT_CODES.host : 0 };
};

interface Work {
  readonly asked: Asked;
  readonly subject: Subject;
  readonly config: Config;
  readonly session: Session;
}

function sourcesOf(connection: Connection, work: Work): readonly LogSource[] {
  const { asked, subject, session } = work;
  const reading: Reading = {
    connection,
    question: { ...asked.question, app: subject.app?.name },
    wanted: asked.wanted,
    hiding: hidingOf(connection, work),
    signal: session.context.signal,
  };
  return [
    ...(asked.journal && subject.targets.includes(connection.target) ? [new JournalSource(reading)] : []),
    ...(asked.requests ? [new RequestSource(reading)] : []),
  ];
}

/** Hides what looks like a secret, and the values that this machine's environment and the host know. */
function hidingOf(
  connection: Connection,
  { subject, config, session: { context } }: Work,
): Reading['hiding'] {
  const apps = subject.app === undefined ? Object.entries(config.apps) : [named(subject.app)];
  const own = apps.flatMap(([, { secrets }]) =>
    Object.values(secrets).flatMap((source) => ('env' in source ? (context.env[source.env] ?? []) : [])),
  );
  let asking: ReturnType<Reading['hiding']> | undefined;
  const ask = async () => {
    const kept = await Promise.all(apps.map(([app]) => readKept(app, connection, context)));
    return hidingLines([
      ...secretsIn(context.env),
      ...own,
      ...kept.flatMap((values) => Object.values(values)),
    ]);
  };
  return () => {
    asking ??= ask().catch((error: unknown) => {
      // A host that could not be reached is asked again.
      asking = undefined;
      throw error;
    });
    return asking;
  };
}

function named({ name, config }: NonNullable<Subject['app']>) {
  return [name, config] as const;
}

interface Showing {
  readonly sink: LineSink;
  readonly away: Away;
  readonly names: readonly string[];
  readonly session: Session;
}

/** Writes until the end, until nobody reads any more, or until Ctrl-C, which is the usual end of `-f`. */
async function show(
  sources: readonly LogSource[],
  asked: Asked,
  { sink, away, names, session }: Showing,
): Promise<void> {
  const text = session.common.json
    ? documentLine
    : shownLine({ colors: session.output.colors, hosts: names });
  const { signal } = session.context;
  try {
    const past = asked.count === undefined ? everything(sources, away) : latest(sources, asked.count, away);
    let isRead = await write(await past, text, sink);
    if (asked.follow && isRead) isRead = await write(following(sources, away, signal), text, sink);
  } catch (error) {
    if (!(asked.follow && signal.aborted)) throw error;
  }
}

/** @returns whether somebody still reads */
async function write(
  lines: Iterable<LogLine> | AsyncIterable<LogLine>,
  text: (line: LogLine) => string,
  sink: LineSink,
): Promise<boolean> {
  for await (const line of lines) if (!(await sink.write(text(line)))) return false;
  return true;
}

/** Hosts that could not be read: each is said once on standard error. */
class Away implements Troubles {
  readonly #hosts = new Set<string>();
  readonly #sink: LineSink;
  readonly #session: Session;

  constructor(sink: LineSink, session: Session) {
    this.#sink = sink;
    this.#session = session;
  }

  get any(): boolean {
    return this.#hosts.size > 0;
  }

  failed(host: string, failure: Failure): void {
    if (this.#hosts.has(host)) return;
    this.#hosts.add(host);
    this.#sink.complain(failureText(failure, this.#session.output.colors).replace(/\n.*exit \d+.*$/, ''));
  }

  isBack(host: string): void {
    if (!this.#hosts.delete(host)) return;
    this.#sink.complain(`${host} is read again.`);
  }
}
