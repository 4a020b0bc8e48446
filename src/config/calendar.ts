/**
 * Times of a job, in the forms of systemd's calendar events that `at:` takes. Checked here, without systemd,
 * so that a mistake shows before a host is touched. Pure.
 */

/** Words that stand for a whole calendar event. */
const WORDS = ['hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'];

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** Days of each month, February in a leap year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FORMS = 'expected a time like 03:00, Mon..Fri 08:30, *-*-01 04:00 or *:0/15';

/** What a part of a calendar event may be. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

const YEAR: Field = { name: 'year', least: 1970, most: 2199 };
const MONTH: Field = { name: 'month', least: 1, most: 12 };
const DAY: Field = { name: 'day', least: 1, most: 31 };
const HOUR: Field = { name: 'hour', least: 0, most: 23 };
const MINUTE: Field = { name: 'minute', least: 0, most: 59 };
const SECOND: Field = { name: 'second', least: 0, most: 59 };

/** Why a text is no time of a job; undefined: it is one. */
export function calendarProblem(text: string): string | undefined {
  if (WORDS.includes(text)) return undefined;
  const parts = text.trim().split(/\s+/);
  if (text.trim() === '') return FORMS;
  const zone = parts.at(-1) ?? '';
  if (parts.length > 1 && /^(UTC|[A-Z][A-Za-z_]+\/\S+)$/.test(zone)) {
    return `has a time zone: write zone: ${zone} beside it`;
  }
  const [days, date, time] = split(parts);
  if (parts.length > [days, date, time].filter((part) => part !== undefined).length) return FORMS;
  return (
    (days === undefined ? undefined : daysProblem(days)) ??
    (date === undefined ? undefined : dateProblem(date)) ??
    (time === undefined ? undefined : timeProblem(time))
  );
}

/** Weekdays, date and time, which stand in this order where they stand. */
function split(
  parts: readonly string[],
): readonly [string | undefined, string | undefined, string | undefined] {
  const rest = [...parts];
  const days = /^[A-Za-z]/.test(rest[0] ?? '') ? rest.shift() : undefined;
  const date = /[-~]/.test(rest[0] ?? '') ? rest.shift() : undefined;
  const time = rest[0]?.includes(':') ? rest.shift() : undefined;
  return [days, date, time];
}

function daysProblem(days: string): string | undefined {
  const known = (word: string) =>
    DAYS.some((day) => [day, day.slice(0, 3)].some((one) => one.toLowerCase() === word.toLowerCase()));
  const wrong = days.split(/,|\.\./).find((word) => !known(word));
  if (wrong === undefined && /^[A-Za-z]+((,|\.\.)[A-Za-z]+)*$/.test(days)) return undefined;
  return wrong === undefined || wrong === '' ? FORMS : `"${wrong}" is no weekday: expected Mon to Sun`;
}

function dateProblem(date: string): string | undefined {
  const [, year, month = '', mark, day = ''] = /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(date) ?? [];
  if (mark === undefined) return FORMS;
  const problem =
    (year === undefined ? undefined : fieldProblem(year, YEAR)) ??
    fieldProblem(month, MONTH) ??
    fieldProblem(day, DAY);
  if (problem !== undefined || !/^\d+$/.test(day) || !/^\d+(,\d+)*$/.test(month)) return problem;
  const most = Math.max(...month.split(',').map((one) => MONTH_DAYS[Number(one) - 1] ?? 0));
  return Number(day) > most ? `"${date}" never comes: that month has ${most} days` : undefined;
}

function timeProblem(time: string): string | undefined {
  const [hour = '', minute, second = '0', ...more] = time.split(':');
  if (minute === undefined || more.length > 0) return FORMS;
  return fieldProblem(hour, HOUR) ?? fieldProblem(minute, MINUTE) ?? fieldProblem(second, SECOND);
}

/** A list of `*`, `3`, `3..5`, each with `/STEP` or not. */
function fieldProblem(text: string, { name, least, most }: Field): string | undefined {
  for (const part of text.split(',')) {
    const [, from, to, step] = /^(\*|\d{1,4})(?:\.\.(\d{1,4}))?(?:\/(\d{1,4}))?$/.exec(part) ?? [];
    if (from === undefined || (from === '*' && to !== undefined)) return FORMS;
    for (const value of from === '*' ? [] : [Number(from), Number(to ?? from)]) {
      if (value < least || value > most) return `the ${name} ${value} is not within ${least} to ${most}`;
    }
    if (to !== undefined && Number(to) < Number(from)) return `the ${name} ${part} goes backwards`;
    if (step !== undefined && Number(step) === 0) return `the ${name} ${part} has the step 0`;
  }
  return undefined;
}

const SECONDS = 1000;
const MINUTES = 60 * SECONDS;
const HOURS = 60 * MINUTES;

/**
 * The calendar event of `every:`, counted from midnight, so that one that was missed can be caught up.
 * @returns undefined where the time divides neither a minute, an hour nor a day
 */
export function calendarOfEvery(ms: number): string | undefined {
  const times = (unit: number, whole: number) => ms >= unit && ms % unit === 0 && whole % ms === 0;
  if (ms === 24 * HOURS) return '*-*-* 00:00:00';
  if (times(HOURS, 24 * HOURS)) return `*-*-* 00/${ms / HOURS}:00:00`;
  if (times(MINUTES, HOURS)) return `*-*-* *:00/${ms / MINUTES}:00`;
  if (times(SECONDS, MINUTES)) return `*-*-* *:*:00/${ms / SECONDS}`;
  return undefined;
}

/** Whether a name is one of the time zone database, as hosts have it: `Europe/Berlin`, `UTC`. */
export function isZone(zone: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(zone)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    // An alias has another name; the name itself in another case is none on a host.
    return timeZone === zone || timeZone.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}
