/** What the API answers; the page takes these types and nothing else from the hub. */

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
}

export interface Overview {
  readonly at: number;
  readonly hosts: readonly OverviewHost[];
  readonly apps: readonly OverviewApp[];
  readonly alerts: readonly ShownAlert[];
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
  readonly series: readonly ChartSeries[];
}

export interface Mark {
  readonly id: string;
  readonly at: number;
  readonly kind: 'deploy' | 'rollback' | 'canary';
  readonly app: string;
  readonly host?: string | undefined;
  readonly release?: string | undefined;
  readonly commit?: string | undefined;
  readonly by?: string | undefined;
  readonly result?: string | undefined;
  readonly text: string;
}

export interface History {
  readonly tier: string;
  readonly stepSeconds: number;
  /** Ends of the steps, seconds since 1970. */
  readonly times: readonly number[];
  readonly panels: readonly Panel[];
  readonly events: readonly Mark[];
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

export interface HostDetail {
  readonly units: readonly {
    readonly unit: string;
    readonly state: string;
    readonly sub: string;
    /** Restarts within the last 24 hours. */
    readonly restarts: number;
    /** Cores. */
    readonly cpu: number | null;
    readonly memory: number | null;
  }[];
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
