/** Times as people type them. Pure. */

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };

/**
 * A moment, ms since 1970: `90s`, `15m`, `1h`, `2d` before now; `14:05` or `14:05:30` of today (yesterday's
 * where that is still to come); `2026-11-29`, `2026-11-29 14:05`, the same with a zone; `now`, `today`,
 * `yesterday`. Without a zone it is this machine's time. undefined: it is none of these.
 */
export function parseWhen(text: string, now: Date): number | undefined {
  const word = text.trim().toLowerCase();
  const ago = /^-?(\d+(?:\.\d+)?)(s|m|h|d|w)(?:in)?$/.exec(word);
  if (ago !== null) return now.getTime() - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  if (word === 'now') return now.getTime();
  if (word === 'today') return dayOf(now, 0).getTime();
  if (word === 'yesterday') return dayOf(now, -1).getTime();
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(word);
  if (clock !== null) return clockToday(clock.slice(1).map(Number), now);
  return parseDate(text.trim());
}

function dayOf(now: Date, offset: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset);
}

function clockToday([hour = 0, minute = 0, second = 0]: readonly number[], now: Date): number | undefined {
  if (hour > 23 || minute > 59 || !(second <= 59 || Number.isNaN(second))) return undefined;
  const at = dayOf(now, 0);
  at.setHours(hour, minute, Number.isNaN(second) ? 0 : second);
  if (at > now) at.setDate(at.getDate() - 1);
  return at.getTime();
}

const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i;

function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = ''] = match;
  // Without a zone, and with a time of day, Date reads it as this machine's.
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone.toUpperCase()}`);
  // The 31st of a month with 30 days is no mistake to Date.
  const isReal = new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDate() === Number(day);
  return isReal && !Number.isNaN(at.getTime()) ? at.getTime() : undefined;
}
