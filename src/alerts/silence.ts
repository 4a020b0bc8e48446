/** Times in which nobody is told of something. Pure. */
import type { DeployEvent } from './deploys.ts';
import type { AlertState } from './types.ts';

/** Kept in Redis, by its subject. */
export interface Silence {
  /** A host, an application, a rule, or EVERYTHING. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly why: string;
  /** `user@machine`, or a user of the dashboard. */
  readonly by: string;
  /** It began with a deploy: whether that failed is told nevertheless. */
  readonly automatic?: boolean | undefined;
}

/** What of an alert says what it is about. */
export type About = Pick<AlertState, 'key' | 'subject' | 'rule'>;

/** The subject of a silence over all alerts. */
export const EVERYTHING = 'all';

/** The longest that nobody is told: what is silenced for good is a rule that is off. */
export const LONGEST_SILENCE_MS = 30 * 86_400_000;

/** Those that go on. */
export function current(silences: readonly Silence[], now: number): readonly Silence[] {
  return silences.filter(({ until }) => until > now);
}

/** Whether nobody is told of it now. */
export function isSilenced(silences: readonly Silence[], alert: About, now: number): boolean {
  return current(silences, now).some(
    ({ subject, automatic }) =>
      (subject === EVERYTHING || isAbout(alert, subject)) && !(automatic && alert.rule === 'deploys'),
  );
}

/** Whether an alert is about a host, an application, or of a rule. */
export function isAbout(alert: About, subject: string): boolean {
  return alert.subject === subject || alert.rule === subject || isPartOf(alert, subject);
}

/** Checks and units are an application's that are called after it: the alert itself is its host's. */
function isPartOf({ key, rule }: About, app: string): boolean {
  const [, , ...rest] = key.split('|');
  const part = rest.join('|');
  if (rule === 'check') return part === app;
  return part.startsWith(`pipeline-${app}@`);
}

/** The silence that a deploy begins, where that is wanted; undefined: none. */
export function silenceOf(event: DeployEvent, ms: number, now: number): Silence | undefined {
  const { app, at, kind, by = '', text } = event;
  if (!['deploy', 'rollback', 'rollout'].includes(kind) || app === '' || at + ms <= now) return undefined;
  return { subject: app, from: at, until: at + ms, why: text, by, automatic: true };
}
