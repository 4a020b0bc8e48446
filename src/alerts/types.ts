/** What alerts are about. */
import type { AlertsConfig } from '../config/schema.ts';

type RuleName = keyof AlertsConfig['rules'];
/** Rules about what lasts; `deploys` is about what happens. */
export type LastingRule = Exclude<RuleName, 'deploys'>;
export type Severity = 'warning' | 'critical';

/** What a rule found wrong just now. */
export interface Finding {
  /** Rule, and what it is about: the same trouble has the same key. */
  readonly key: string;
  /** A `LastingRule`, or the name of a rule of one's own. */
  readonly rule: string;
  readonly severity: Severity;
  /** Host or application. */
  readonly subject: string;
  readonly kind: 'host' | 'app' | 'monitor';
  /** One sentence. */
  readonly message: string;
}

/** A trouble over time. Kept in Redis, so that a restart forgets nothing. */
export interface AlertState extends Finding {
  /** Waits for its `for`, has fired, or is over and about to be forgotten. */
  readonly state: 'pending' | 'firing' | 'resolved';
  /** When it was first found, ms. */
  readonly since: number;
  readonly firedAt?: number | undefined;
  /** When it was last found. */
  readonly seenAt: number;
  readonly resolvedAt?: number | undefined;
  /**
   * How often it fired within the last hour: the oftener, the longer it must be well before it counts as
   * over.
   */
  readonly fires: number;
  /** What people were told that it is; undefined: nothing yet, or that it is over. */
  readonly told?: Severity | undefined;
  /** When they were told last. */
  readonly toldAt?: number | undefined;
}

/** What people are told. */
export interface Notice {
  readonly state: 'firing' | 'resolved' | 'test';
  readonly alert: Pick<AlertState, 'key' | 'rule' | 'severity' | 'subject' | 'message' | 'since'>;
  readonly at: number;
}
