/** An alert that fires, in a line. */
import type { FiringAlert, HubStatus } from '../watching/place.ts';

/** `critical: check shop from web fails: no answer (taken by ann@desk)`. */
export function alertLine(
  { key, since, severity, message }: FiringAlert,
  { taken = [] }: Pick<HubStatus, 'taken'>,
): string {
  const who = taken.find((one) => one.key === key && one.since === since);
  return `${severity}: ${message}${who === undefined ? '' : ` (taken by ${who.by})`}`;
}
