/** Names of the hub's keys in Redis. Agents can write to inboxes and to nothing else. */
import type { Tier } from '../../metrics/tiers.ts';

/**
 * What of a window is stored together: charts of hosts, charts of applications and tables of routes are read
 * apart.
 */
export const PARTS = ['host', 'apps', 'routes'] as const;
export type Part = (typeof PARTS)[number];

export const inbox = (host: string): string => `in:${host}:samples`;
export const windows = (tier: Tier['name'], part: Part, host: string): string => `w:${tier}:${part}:${host}`;
/** Hash: host → what was taken from its inbox last (JSON `Position`). */
export const POSITIONS = 'hub:positions';
/** Hash: `app host` → release that serves there. */
export const LIVE_RELEASES = 'hub:live';
/** Set of `app host`: where an application was seen. */
export const SERVED = 'hub:served';
/** Set of releases that were seen. */
export const SEEN_RELEASES = 'hub:releases';
/** Hash: alert key → its state (JSON). */
export const ALERTS = 'hub:alerts';
/** Hash: subject → a silence (JSON). */
export const SILENCES = 'hub:silences';
/** Hash: alert key → who has taken it (JSON). */
export const TAKEN = 'hub:taken';
/** Hash: `day|seen, look or broken|app` → ms. */
export const STATUS_DAYS = 'hub:status-days';
/** Hash: id → an incident of the status page (JSON). */
export const INCIDENTS = 'hub:incidents';
/** Hash: id of an incident → what people said of it (JSON). */
export const INCIDENT_WORDS = 'hub:incident-words';
/** Stream of what was fired and resolved. */
export const ALERT_LOG = 'hub:alert-log';
/** Hash: id → a message on its way to a place (JSON). */
export const OUTBOX = 'hub:outbox';
/** Hash: user → JSON. */
export const USERS = 'hub:users';
/** Session by the hash of its token. */
export const session = (hash: string): string => `hub:session:${hash}`;
/** Who is the hub: holds the instance that ingests. */
export const LEADER = 'hub:leader';
/** Sorted set: event by time (ms). */
export const EVENT_TIMES = 'hub:mark-times';
/** Hash: event → JSON `StoredEvent`. */
export const EVENTS = 'hub:marks';
/** Sorted set: line of a host's audit log (hash) by the time of its event. */
export const AUDIT_LINES = 'hub:audit-lines';
/** Sorted set: canary run by its begin (ms). */
export const CANARY_TIMES = 'hub:canary-times';
/** A canary run, JSON `CanaryDetail` and when it was heard last. */
export const canary = (id: string): string => `hub:canary:${id}`;
/** Set of the canary runs that are under way. */
export const CANARIES_RUNNING = 'hub:canaries-running';
/** Sorted set: rollout by its begin (ms). */
export const ROLLOUT_TIMES = 'hub:rollout-times';
/** A rollout as its host told of it last, JSON. */
export const rollout = (id: string): string => `hub:rollout:${id}`;
/** Set of the rollouts that have not ended. */
export const ROLLOUTS_GOING_ON = 'hub:rollouts-going-on';
