/** Quiet hours. Pure. */
import type { AlertsConfig } from '../config/schema.ts';

/** Whether the zone's clock is between `from` and `to`, which may be on the next day. */
export function isQuiet(quiet: NonNullable<AlertsConfig['quiet']>, now: number): boolean {
  const time = new Intl.DateTimeFormat('en-GB', {
    timeZone: quiet.zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(now);
  return quiet.from <= quiet.to
    ? time >= quiet.from && time < quiet.to
    : time >= quiet.from || time < quiet.to;
}
