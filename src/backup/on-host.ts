/** Asks a host's program about its backups: events become progress, a failure a sentence. */
import type { Context } from '../context.ts';
import { type BackupEvent, backupEventSchema, type RestoreOrder } from '../contract/backup.ts';
import { BACKUP_WEIGHT } from '../contract/backup-paths.ts';
import { ONHOST } from '../contract/places.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { command, quote } from '../ssh/quote.ts';

/** Hours may pass until much data has come over a slow line. */
const LONGEST_MS = 12 * 3_600_000;
/** pipeline's own program on hosts. */
export const PROGRAM = [`${ONHOST}/node/bin/node`, `${ONHOST}/current`];

/**
 * As `pipeline-backup.service` does it. A session's control group weighs as much as all services together:
 * inside it, nice alone changes nothing for them.
 */
const WEIGHTS = ['CPU', 'IO'].map((one) => `--property=${one}Weight=${BACKUP_WEIGHT}`);
const GIVING_WAY = [
  ...['systemd-run', '--scope', '--quiet', '--collect', ...WEIGHTS],
  ...['nice', '-n', '19', 'ionice', '-c', '3'],
];

type Answer<K extends BackupEvent['event']> = Extract<BackupEvent, { event: K }>;

/** All that it said. */
export class BackupAnswer {
  readonly #events: readonly BackupEvent[];
  readonly #host: string;

  constructor(host: string, events: readonly BackupEvent[]) {
    this.#host = host;
    this.#events = events;
  }

  /** @throws Failure kind `host`: it did not say */
  the<K extends BackupEvent['event']>(kind: K): Answer<K> {
    const found = this.#events.find((one): one is Answer<K> => one.event === kind);
    if (found !== undefined) return found;
    throw new Failure('host', `${this.#host} does not answer with its ${kind}`, {
      host: this.#host,
      next: 'Bring the host to this version of pipeline: pipeline prod up',
    });
  }
}

/**
 * Runs `onhost backup …` on a host. What serves there comes first.
 * @throws Failure as the host says it
 */
export async function onHost(
  connection: Connection,
  args: readonly string[],
  context: Context,
  order?: RestoreOrder,
): Promise<BackupAnswer> {
  const host = connection.target.name;
  const events: BackupEvent[] = [];
  const line = command([...GIVING_WAY, ...PROGRAM, 'backup', ...args]);
  const there = `[ -e ${ONHOST}/current ] || { echo 'no program' >&2; exit 4; }`;
  const script = order === undefined ? line : `printf %s ${quote(JSON.stringify(order))} | ${line}`;
  const result = await connection.script(`${there}\n${script}`, {
    label: `backup ${args[0] ?? ''}`,
    signal: context.signal,
    timeoutMs: LONGEST_MS,
    onStdout: (text) => {
      const event = eventOf(text);
      if (event === undefined) return;
      events.push(event);
      if (event.event !== 'step') return;
      const { item, state, detail } = event;
      context.progress({ host, stage: `backup ${item}`, state, detail: detail || undefined });
    },
  });
  const failed = events.find((one) => one.event === 'failed');
  if (failed?.event === 'failed')
    throw new Failure(failed.kind, `${host}: ${failed.detail}`, {
      host,
      step: `backup ${args[0] ?? ''}`,
      output: failed.output,
      next: failed.next || 'See what the host says, then run the command again: it goes on from there.',
    });
  if (result.exitCode === 0 && events.some((one) => one.event === 'end'))
    return new BackupAnswer(host, events);
  const output = result.stderr.trim().split('\n').slice(-5);
  throw new Failure('host', `${host}: the backup program ended with code ${result.exitCode}`, {
    host,
    step: `backup ${args[0] ?? ''}`,
    output,
    next: 'Bring the host to this version of pipeline (pipeline prod up), then run the command again.',
  });
}

function eventOf(text: string): BackupEvent | undefined {
  if (!text.startsWith('{')) return undefined;
  return backupEventSchema.safeParse(JSON.parse(text)).data;
}
