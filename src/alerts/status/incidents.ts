/**
 * Incidents of the status page: alerts open and close them, people too, and people say what goes on. Pure.
 */
import type { Impact, Impaired, Reason } from './impact.ts';

export interface Incident {
  readonly id: string;
  /** Empty: all. */
  readonly app: string;
  readonly impact: Exclude<Impact, 'well'>;
  /** Absent: a person opened it, whose words say it. */
  readonly reason?: Reason | undefined;
  readonly from: number;
  /** Absent: it goes on. */
  readonly until?: number | undefined;
}

/** What a person said of an incident. */
export interface Words {
  readonly at: number;
  readonly text: string;
}

/** What comes back sooner is the same incident. */
const AGAIN_MS = 10 * 60_000;

/** @returns what became of an application's incidents; undefined: nothing */
export function nextIncident(
  incidents: readonly Incident[],
  app: string,
  { impact, reason }: Impaired,
  now: number,
): Incident | undefined {
  const mine = incidents.filter((one) => one.app === app && one.reason !== undefined);
  const last = mine.toSorted((a, b) => b.from - a.from)[0];
  const isOpen = last !== undefined && last.until === undefined;
  if (impact === 'well') return isOpen ? { ...last, until: now } : undefined;
  if (last !== undefined && (isOpen || now - (last.until ?? 0) < AGAIN_MS)) {
    const graver = last.impact === 'look' && impact === 'broken';
    if (isOpen && !graver) return undefined;
    const { until: _, ...again } = last;
    return graver ? { ...again, impact, reason } : again;
  }
  return { id: `${now}-${app}`, app, impact, reason: reason ?? 'other', from: now };
}
