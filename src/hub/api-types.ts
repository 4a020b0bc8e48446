/**
 * What the API answers; the page takes these types and nothing else from the hub.
 *
 * `/api/history?host=NAME&from=MS&to=MS`, or `app=NAME` with, if wanted, `method=` and `route=` (one route),
 * `release=` (one release), or `baseline=` and `candidate=` (two). `/api/routes` takes the same `app`,
 * `from`, `to`, `baseline`, `candidate`. Times are milliseconds since 1970 unless a name says seconds.
 * Answers are compressed. `/api/stream` sends `overview` (an `Overview`), `point` (a `LivePoint` of the
 * subject), `event` (a `HubEvent`, new or changed) and `missed`.
 */
import type {
  Otherwise,
  RolloutEvent,
  RolloutMetric,
  RolloutPhase,
  SideFigures,
  SideRelease,
} from '../contract/rollout-status.ts';

export type { RolloutMetric };
export type Health = 'well' | 'look' | 'broken';

export interface OverviewHost {
  readonly name: string;
  readonly health: Health;
  /** Seconds since it was heard; null: never. */
  readonly silentSeconds: number | null;
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly disk: number | null;
  /** Seconds by which its clock is ahead. */
  readonly clockAhead: number;
  readonly refused: number;
  readonly refusal: string;
  readonly lost: number;
  /** Processor by minute, the last hour, oldest first. */
  readonly spark: readonly (number | null)[];
}

export interface OverviewApp {
  readonly name: string;
  readonly health: Health;
  /** Requests a second over the last minute. */
  readonly rate: number;
  /** Share of answers 5xx over the last minute; null without requests. */
  readonly errors: number | null;
  readonly p90: number | null;
  readonly releases: readonly string[];
  readonly hosts: readonly string[];
  readonly spark: readonly (number | null)[];
}

export interface ShownAlert {
  readonly key: string;
  readonly rule: string;
  readonly severity: 'warning' | 'critical';
  readonly state: 'pending' | 'firing' | 'resolved';
  readonly subject: string;
  readonly kind: 'host' | 'app' | 'monitor';
  readonly message: string;
  readonly since: number;
  readonly resolvedAt?: number | undefined;
  /** Who takes care of it. */
  readonly taken?: { readonly by: string; readonly at: number } | undefined;
}

export interface ShownSilence {
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly why: string;
  readonly by: string;
  /** It began with a deploy. */
  readonly automatic?: boolean | undefined;
}

export interface Overview {
  readonly at: number;
  readonly hosts: readonly OverviewHost[];
  readonly apps: readonly OverviewApp[];
  readonly alerts: readonly ShownAlert[];
  /** Of whom and what nobody is told: a host, an application, a rule, or `all`. */
  readonly silences: readonly ShownSilence[];
  /** Names of rules: what can be silenced besides hosts and applications. */
  readonly rules: readonly string[];
  /** Canary runs that are under way. */
  readonly canaries: readonly CanaryRun[];
  /** Live canaries that go on, the oldest first. */
  readonly rollouts: readonly ShownRollout[];
  /** Redis's memory in use, and its bound; null where not known. */
  readonly storage: { readonly used: number; readonly limit: number } | null;
  /**
   * Forwarding to another store, in samples since the hub began; null where there is none. `trouble`: why it
   * takes nothing now.
   */
  readonly remoteWrite: {
    readonly queued: number;
    readonly sent: number;
    readonly dropped: number;
    readonly trouble: string;
  } | null;
  /** Why no samples are taken in; empty where they are. */
  readonly trouble: string;
}

export interface ChartSeries {
  readonly name: string;
  /** Drawn on top of the stacked line before it: together they are the whole. */
  readonly stacked?: boolean | undefined;
  readonly values: readonly (number | null)[];
}
export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Why there is nothing to draw, if so: a sentence. */
  readonly none?: string | undefined;
  readonly series: readonly ChartSeries[];
}

/** A point of every chart of a subject, as the stream sends it. */
export interface LivePoint {
  readonly at: number;
  readonly panels: readonly Panel[];
}

/**
 * `rollout`: a step of a rollout. `change`: everything else that the audit log of a host holds: `prod
 * up`, `monitor setup`, backups.
 */
export type EventKind = 'deploy' | 'rollback' | 'rollout' | 'canary' | 'change';

/** Something that somebody did: a row in lists, a mark on charts. */
export interface HubEvent {
  readonly id: string;
  readonly at: number;
  readonly kind: EventKind;
  /** The word of the audit log, e.g. `deploy`, `up`, `monitor setup`. */
  readonly action: string;
  /** Empty: it concerns hosts and no application. */
  readonly app: string;
  readonly hosts: readonly string[];
  readonly release?: string | undefined;
  readonly previous?: string | undefined;
  readonly commit?: string | undefined;
  readonly by?: string | undefined;
  /**
   * `live`, `done`, `failed`; of a canary `running`, `passed`, `failed`, `inconclusive`, `interrupted`,
   * `lost`; of a rollout the kind of its event; empty: not known.
   */
  readonly result: string;
  /** Identifier of the canary run. */
  readonly canary?: string | undefined;
  /** Identifier of the rollout, and its candidate's share of the traffic from here on. */
  readonly rollout?: string | undefined;
  readonly percent?: number | undefined;
  readonly text: string;
}

/** `/api/events?from=&to=&app=&host=&kind=deploy,rollback&limit=50&before=NEXT`: newest first. */
export interface EventPage {
  readonly events: readonly HubEvent[];
  /** For `before=` of the next page; null: there is none. */
  readonly next: string | null;
}

export type LogLevel = 'critical' | 'error' | 'warning' | 'info' | 'debug';

export interface ShownLogLine {
  readonly at: number;
  readonly host: string;
  /** Instance, job or unit; `nginx` for a request. */
  readonly source: string;
  readonly isRequest: boolean;
  readonly level: LogLevel;
  /** Empty: not known. */
  readonly release: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The line is longer than what is shown. */
  readonly isCut: boolean;
}

/**
 * `/api/logs?app=&from=&to=&host=&level=&release=&q=&requests=yes`, or `host=` alone: read from the hosts at
 * that moment, the latest lines, oldest first. `level`: that bad or worse. `q`: what a line contains.
 */
export interface LogPage {
  readonly lines: readonly ShownLogLine[];
  /** There are older ones in the range that are not shown. */
  readonly more: boolean;
  /** A host gave up before it had read the range. */
  readonly tookTooLong: boolean;
  /** Hosts whose lines are missing, and why. */
  readonly troubles: readonly { readonly host: string; readonly why: string }[];
}

/** `/api/alert-log?limit=50&before=NEXT&subject=`: what was fired and resolved, newest first. */
export interface AlertPage {
  readonly entries: readonly (AlertNotice & { readonly id: string })[];
  readonly next: string | null;
}

export interface CanarySide {
  readonly ref: string;
  readonly commit: string;
  readonly subject: string;
}

/** A canary run, in lists. */
export interface CanaryRun {
  readonly id: string;
  readonly app: string;
  readonly baseline: CanarySide;
  readonly candidate: CanarySide;
  readonly by: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** `lost`: nothing was heard from it for a minute. */
  readonly state: 'running' | 'passed' | 'failed' | 'inconclusive' | 'interrupted' | 'lost';
  /** 0 to 100; null while it runs. */
  readonly score: number | null;
  /** Of traffic so far, and at most. */
  readonly seconds: number;
  readonly atMostSeconds: number;
  readonly requests: { readonly baseline: number; readonly candidate: number };
  /** Why, or while it runs what is still missing, in a sentence; may be empty. */
  readonly reason: string;
}

export interface CanaryMetric {
  readonly name: string;
  readonly route?: string | undefined;
  readonly critical: boolean;
  readonly verdict: 'pass' | 'high' | 'low' | 'no data' | 'inconclusive';
  /**
   * What the verdict means: only a metric that can fail a canary is harm, and what is merely reported is
   * open. Absent: an older command told of the run.
   */
  readonly tone?: 'pass' | 'harm' | 'open' | 'none' | undefined;
  /** Evidence of harm in a word, e.g. `beyond doubt`, `not judged (informative)`. */
  readonly harm?: string | undefined;
  readonly unit: string;
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Ratio (1: equal) or difference (0: equal), with its interval; an end that is unbounded is null. */
  readonly scale: 'ratio' | 'difference' | null;
  readonly effect: number | null;
  readonly interval: readonly [number | null, number | null] | null;
  readonly samples: { readonly baseline: number; readonly candidate: number };
  readonly reason: string;
}

/** `/api/canaries/ID` */
export interface CanaryDetail extends CanaryRun {
  readonly judge: string;
  readonly metrics: readonly CanaryMetric[];
  readonly decidedBy: readonly string[];
  readonly notes: readonly string[];
  /**
   * Charts over the run, two series each (baseline, candidate); empty while it runs. `times` are seconds
   * since its begin.
   */
  readonly times: readonly number[];
  readonly panels: readonly Panel[];
}

/** `/api/canaries?app=&limit=&before=NEXT`: newest first. */
export interface CanaryPage {
  readonly runs: readonly CanaryRun[];
  readonly next: string | null;
}

/** One version in a rollout, and what it did so far. */
export interface ShownSide extends SideRelease, SideFigures {}

export interface ShownStep extends Omit<RolloutEvent, 'at'> {
  readonly at: number;
}

/** A rollout as its host told of it last, with times by the hub's clock. `/api/rollouts/ID` */
export interface ShownRollout {
  readonly id: string;
  readonly app: string;
  /** The host that divides the traffic and decides. */
  readonly host: string;
  readonly heardAt: number;
  readonly phase: RolloutPhase;
  readonly beganAt: number;
  /** When it was so; the end, where it has ended. */
  readonly at: number;
  readonly baseline: ShownSide;
  readonly candidate: ShownSide;
  /** What visitors are told apart by: `visitor` (a cookie), `header NAME`, `address`, `request`. */
  readonly by: string;
  readonly steps: readonly number[];
  /** Share of the candidate now. */
  readonly percent: number;
  /** Odds at which it is taken back. */
  readonly alarm: number;
  readonly metrics: readonly RolloutMetric[];
  readonly next: { readonly percent: number; readonly waitsFor: string } | null;
  /** When `otherwise` is done, should nothing be decided. */
  readonly until: number;
  readonly otherwise: Otherwise;
  /** Newest last. */
  readonly events: readonly ShownStep[];
}

/** `/api/rollouts?app=&limit=&before=NEXT`: newest first. */
export interface RolloutPage {
  readonly rollouts: readonly ShownRollout[];
  readonly next: string | null;
}

/**
 * `/api/units?state=failed&host=`: systemd units of every host, those that failed first, then by host; 2000
 * at most.
 */
export interface UnitList {
  readonly units: readonly (UnitRow & { readonly host: string })[];
}

export interface History {
  readonly tier: string;
  readonly stepSeconds: number;
  /** Ends of the steps, seconds since 1970. */
  readonly times: readonly number[];
  readonly panels: readonly Panel[];
  readonly events: readonly HubEvent[];
}

export interface RouteFigures {
  readonly requests: number;
  readonly rate: number;
  /** Share of answers 5xx. */
  readonly errors: number;
  /** Share of answers 4xx. */
  readonly rejected: number;
  /** Mean size of a body, bytes; null without requests. */
  readonly size: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}
export interface RouteRow {
  readonly method: string;
  readonly route: string;
  readonly all: RouteFigures;
  readonly baseline?: RouteFigures | undefined;
  readonly candidate?: RouteFigures | undefined;
}
export interface Routes {
  /** All routes together. */
  readonly all: Omit<RouteRow, 'method' | 'route'>;
  /** Newest first. */
  readonly releases: readonly {
    readonly release: string;
    readonly requests: number;
    readonly figures: RouteFigures;
    /** Ends of the first and the last window with a request in the range, ms since 1970. */
    readonly firstAt: number;
    readonly lastAt: number;
  }[];
  readonly hosts: readonly { readonly host: string; readonly figures: RouteFigures }[];
  readonly rows: readonly RouteRow[];
}

export interface UnitRow {
  readonly unit: string;
  readonly state: string;
  readonly sub: string;
  /** Cores. */
  readonly cpu: number | null;
  readonly memory: number | null;
}

/** `/api/host/NAME` */
export interface HostDetail {
  readonly units: readonly (UnitRow & {
    /** Restarts within the last 24 hours. */
    readonly restarts: number;
  })[];
  readonly disks: readonly {
    readonly mount: string;
    readonly device: string;
    readonly size: number | null;
    readonly used: number | null;
    /** Share of inodes in use. */
    readonly inodes: number | null;
  }[];
  readonly checks: readonly {
    readonly check: string;
    readonly target: string;
    readonly up: boolean;
    readonly duration: number | null;
    readonly error: string;
  }[];
  readonly stores: readonly {
    readonly store: string;
    readonly kind: string;
    readonly up: boolean;
    readonly connections: number | null;
    readonly size: number | null;
    readonly error: string;
  }[];
  readonly certificates: readonly { readonly endpoint: string; readonly expires: number | null }[];
  /** Times in seconds since 1970; null: never. */
  readonly backups: readonly {
    readonly item: string;
    readonly at: number | null;
    readonly size: number | null;
    readonly error: string;
    readonly verified: number | null;
    readonly verifyError: string;
  }[];
  readonly problems: readonly { readonly source: string; readonly message: string }[];
  /** The host itself; null where it was never heard. */
  readonly facts: {
    readonly cores: number | null;
    readonly memory: number | null;
    /** Seconds since it started. */
    readonly uptime: number | null;
    readonly agentVersion: string;
    /** Samples that wait at the agent. */
    readonly buffered: number | null;
  } | null;
}

/** What was told: an alert began or ended. */
export interface AlertNotice {
  readonly state: 'firing' | 'resolved' | 'test';
  readonly at: number;
  readonly alert: {
    readonly rule: string;
    readonly severity: 'warning' | 'critical';
    readonly subject: string;
    readonly message: string;
    readonly since: number;
  };
}

/** Who is signed in. */
export interface SessionUser {
  readonly name: string;
  readonly role: 'admin' | 'viewer';
}
