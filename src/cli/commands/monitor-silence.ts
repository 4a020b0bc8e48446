/** `pipeline monitor silence`: nobody is told of something for a while. */
import { EVERYTHING, LONGEST_SILENCE_MS, type Silence } from '../../alerts/silence.ts';
import { alertsSchema } from '../../config/schema.ts';
import { duration } from '../../config/units.ts';
import { audit, whoami } from '../../environment/audit.ts';
import { closest, Failure } from '../../errors.ts';
import { duration as durationText } from '../../format.ts';
import { askHub, type MonitorPlace, withMonitor } from '../../watching/place.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { table } from '../table.ts';

export const monitorSilence: Handler<typeof definitions.monitorSilence> = (options, session) => {
  const [subject, time, why] = [0, 1, 2].map((index) => argument(session, index));
  if (subject === undefined) return list(options.inventory, session);
  if (options.end) return end(subject, options.inventory, session);
  if (time === undefined || why === undefined || why.trim() === '')
    throw new Failure('usage', `for how long is ${subject} silenced, and why?`, {
      next: `Say both: pipeline monitor silence ${subject} 2h "new disk"`,
    });
  return begin({ subject, why: why.trim(), ms: milliseconds(time) }, options.inventory, session);
};

function list(inventory: string | undefined, session: Session) {
  return withMonitor(inventory, session, async (connection) => {
    const { output, context } = session;
    const answer = (await askHub(connection, ['silences'], session)) as { silences: readonly Silence[] };
    const now = context.now().getTime();
    const rows = answer.silences.map(({ subject, until, why, by }) => [
      subject,
      durationText(until - now),
      why,
      by,
    ]);
    if (rows.length === 0) output.line('Nothing is silenced.');
    else for (const line of table(['about', 'ends in', 'why', 'by'], rows)) output.line(line);
    return { json: answer };
  });
}

function end(subject: string, inventory: string | undefined, session: Session) {
  return withMonitor(inventory, session, async (connection) => {
    const { context, output } = session;
    const answer = (await askHub(connection, ['unsilence', subject], session)) as { ended: boolean };
    if (!answer.ended)
      throw new Failure('usage', `${subject} is not silenced`, { next: 'See: pipeline monitor silence' });
    await audit(connection, entryOf('unsilence', subject, session), context);
    output.line(`You are told about ${subject} again.`);
    return { json: answer };
  });
}

interface Wanted {
  readonly subject: string;
  readonly why: string;
  readonly ms: number;
}

function begin({ subject, why, ms }: Wanted, inventory: string | undefined, session: Session) {
  return withMonitor(inventory, session, async (connection, place) => {
    const { context, output } = session;
    checkSubject(subject, place);
    const args = ['silence', subject, String(ms), whoami(context), why];
    const silence = (await askHub(connection, args, session)) as Silence;
    await audit(connection, entryOf('silence', subject, session, `for ${durationText(ms)}: ${why}`), context);
    const until = new Date(silence.until);
    output.line(
      `Nobody is told about ${subject} for ${durationText(ms)}, until ${until.toLocaleString('sv')}.`,
    );
    return { json: silence };
  });
}

export function entryOf(action: string, subject: string, { context }: Session, message?: string) {
  const at = context.now().toISOString();
  const entry = { at, by: whoami(context), action, result: 'done', subject };
  return message === undefined ? entry : { ...entry, message };
}

/** @throws Failure `usage` for what no alert is about */
export function checkSubject(subject: string, { config, inventory }: MonitorPlace): void {
  const rules = Object.keys(alertsSchema.shape.rules.parse({}));
  const known = [
    ...inventory.targets.map(({ name }) => name),
    ...Object.keys(config.apps),
    ...rules,
    ...Object.keys(config.alerts.own),
    EVERYTHING,
  ];
  if (known.includes(subject)) return;
  const guess = closest(subject, known);
  throw new Failure('usage', `no alert is about "${subject}"`, {
    next: guess === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${guess}?`,
  });
}

function milliseconds(text: string): number {
  const read = duration().safeParse(text);
  if (read.success && read.data > 0 && read.data <= LONGEST_SILENCE_MS) return read.data;
  throw new Failure('usage', `"${text}" is no time to be silent`, {
    next: 'Write 30m, 2h or 7d, at most 30d. For good: turn the rule off, in alerts: rules:',
  });
}
