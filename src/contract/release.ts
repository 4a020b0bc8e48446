/**
 * What the operator's side and the program on the host agree on: one order in (JSON on standard input), one
 * event a line out (JSON). An order holds everything: the host asks nothing back. The operator renders every
 * text (units, environment files, sites); paths of releases and settings follow from `places.ts`.
 *
 * `onhost release` exits with 0 after an `end` event, else with EXIT_ORDER_FAILED after a `failed` event, or
 * with 128 and the signal's number where it was stopped: then the version of before serves, as after a
 * failure.
 */
import type { Manifest } from './manifest.ts';
import type { Colour } from './places.ts';
import type { Otherwise, RolloutStatus } from './rollout.ts';

/** One line of the audit log on hosts. Never holds a secret. */
export interface AuditLine {
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** `user@machine`. */
  readonly by: string;
  readonly action: string;
  readonly result: string;
  readonly app?: string | undefined;
  readonly release?: string | undefined;
  readonly previous?: string | undefined;
  readonly commit?: string | undefined;
  readonly ref?: string | undefined;
  readonly subject?: string | undefined;
  readonly message?: string | undefined;
}

/** A file below a folder that the step names. */
export interface OrderedFile {
  readonly path: string;
  /** Octal, e.g. `0640`. */
  readonly mode: string;
  readonly text: string;
}

/**
 * Where a release's files come from. The artifact lies in INCOMING under its hash, unless `sameTree`
 * has it.
 */
export interface Placing {
  /**
   * Below the release's folder: `env`, `digest`, `check` (a program), `release.json`; `start` where something
   * runs; with Tomcat its files and `fatal`. Links (`node`, Tomcat's) are made by the host.
   */
  readonly files: readonly OrderedFile[];
  /** Files laid over the artifact, below `app/`, owned by root and the application's group. */
  readonly overlay: readonly OrderedFile[];
  /** A release on the host with the same files, from which they are linked instead of unpacked. */
  readonly sameTree: string | null;
  /**
   * SHA-256 of the archive with the release's Node that was sent; null: the host has that version, or
   * none is needed.
   */
  readonly nodeArchive: string | null;
  /** Folder below Tomcat's `webapps` that stands for the context path; null: no Tomcat. */
  readonly webapp: string | null;
  /** Dependencies that the host installs, once for each `lock` of the manifest; null: none. */
  readonly dependencies: Dependencies | null;
}

/** What the host installs a language's dependencies from, with the language's own tools. */
export interface Dependencies {
  readonly language: 'python' | 'ruby';
  /** Files that the tools read, e.g. `requirements.txt`, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Oldest version of the language that will do, e.g. `3.12`; null: any. */
  readonly least: string | null;
}

/** A process of a release, and what systemd reads of it. */
export interface OrderedInstance {
  readonly name: string;
  readonly unit: string;
  readonly unitText: string;
  readonly address: string;
  readonly port: number;
  /** The unit that makes its own network, and that unit's settings; null: it shares the host's. */
  readonly network: { readonly unit: string; readonly settings: string } | null;
}

/** A process beside the web ones. */
export interface OrderedProcess {
  /** Of the definition, e.g. `worker`. */
  readonly name: string;
  readonly unit: string;
  readonly unitText: string;
  readonly when: 'before' | 'after';
  /** The other colour's process of this name must have ended before it starts. */
  readonly exclusive: boolean;
  /** How long it may take to end, in milliseconds. */
  readonly stopWithin: number;
}

/** A job: what its timer starts, in the release behind the live link. */
export interface OrderedJob {
  readonly name: string;
  readonly unit: string;
  readonly unitText: string;
  readonly timer: string;
  readonly timerText: string;
}

/** nginx's site, with the certificate that must lie there before it. */
export interface OrderedSite {
  readonly text: string;
  /** Folder of static files in the artifact that must exist; null: none. */
  readonly needs: string | null;
  readonly certificate:
    | null
    | {
        readonly kind: 'given';
        readonly name: string;
        readonly chain: string;
        readonly key: string;
      }
    /** One that the host signs itself stands in until the first has come. */
    | { readonly kind: 'acme'; readonly domain: string };
  /** Names with hashed passwords, which nginx must be able to read; absent or null: none, or it is there. */
  readonly auth?: { readonly path: string; readonly text: string } | null;
}

/** A release and its place. */
export interface Placed {
  readonly manifest: Manifest;
  readonly slot: number;
  /** The colour that it has or gets. */
  readonly colour: Colour;
  readonly instances: readonly OrderedInstance[];
  /** Absent: none. */
  readonly processes?: readonly OrderedProcess[] | undefined;
  /** Of the application's first host; absent: none. */
  readonly jobs?: readonly OrderedJob[] | undefined;
}

/**
 * Start a release and let it take over; ends with the version of before standing by. Whatever happens before
 * that is undone: the old version serves, the new one is stopped, and counts as failed unless it is `proven`.
 */
export interface TakeOver extends Placed {
  /**
   * The colour that serves now; null: none. Checked again on the host: it may have gone back by itself
   * since it was looked at.
   */
  readonly old: Colour | null;
  /** null: it is on the host already. */
  readonly placing: Placing | null;
  /** Secrets that were generated, kept for later releases: name → value. */
  readonly keepSecrets: Readonly<Record<string, string>>;
  /** null: nginx's site stays as it is. */
  readonly site: OrderedSite | null;
  /** Command to run before traffic moves; null: none, or another host runs it. */
  readonly beforeCutOver: string | null;
  /** It has served before: failing now does not make it a failed release. */
  readonly proven: boolean;
}

/**
 * What is done once a release stays: drain and stop the other colour, tidy up, tell, watch. Nothing stops it,
 * not even a reader that has gone.
 */
export interface Settle extends Placed {
  /** The release that a rollback leaves: it becomes `withdrawn`; null: none. */
  readonly withdrawn: string | null;
  /** Releases to remove. */
  readonly remove: readonly string[];
  readonly site: OrderedSite | null;
  readonly audit: AuditLine | null;
  /** Command to run at the end; null: none. */
  readonly afterDeploy: string | null;
  /** null: nobody watches. */
  readonly guard: GuardOrder | null;
}

/** What the host watches after a deploy, and the way back. */
export interface GuardOrder {
  /** Milliseconds. */
  readonly watch: number;
  /** The release of before, in the other colour, with its instances there. */
  readonly previous: Placed;
  /**
   * Keep the processes of before until the watch has ended (Tomcat): going back then takes about a
   * second.
   */
  readonly standby: boolean;
  /** What is written where it fails, without time, result and message. */
  readonly audit: Omit<AuditLine, 'at' | 'result' | 'message'>;
}

/** How another host's site is reached at one of its addresses. */
export interface OtherSite {
  readonly port: number;
  /** https; the certificate is not looked at. */
  readonly tls: boolean;
  /** The site's name; null: it has none. */
  readonly name: string | null;
}

/** What a host needs to decide by itself whether a release stays. */
export interface RolloutOrder {
  /**
   * `whole`: the application's only host. Of several, the `balancer` divides the visitors and decides, and
   * each
   * `host` runs both versions until it is told how that ended.
   */
  readonly part: 'whole' | 'balancer' | 'host';
  /** 16 hex digits, drawn anew. */
  readonly id: string;
  /** Of a `host`: the site of its balancer, where it hears the end; absent: it waits to be told. */
  readonly follows?: (OtherSite & { readonly addresses: readonly string[] }) | undefined;
  /** From which the order of buckets and the names of visitors are drawn: 32 hex digits, secret. */
  readonly seed: string;
  /** What makes a visitor the same one, for people: `visitor`, `header X-Api-Key`, `address`, `request`. */
  readonly by: string;
  /** Shares of the candidate, per cent, growing; the last one is 100. */
  readonly steps: readonly number[];
  /** Milliseconds. */
  readonly atMost: number;
  readonly otherwise: Otherwise;
  /** Chance that a version as good as the baseline is taken back, at most. */
  readonly alpha: number;
  /** nginx's site while both versions serve. */
  readonly shared: OrderedSite;
  /** Text of the file that the shared site includes; null: neither testers nor sessions. */
  readonly secrets: string | null;
  /** nginx's site once the candidate serves alone. */
  readonly after: OrderedSite;
  readonly baseline: Placed;
  /** What is done when the candidate is promoted. */
  readonly settle: Settle;
  /** What each step writes, without time, action, result and message. */
  readonly audit: Omit<AuditLine, 'at' | 'action' | 'result' | 'message'>;
}

export type ReleaseOrder =
  | { readonly verb: 'take-over'; readonly takeOver: TakeOver; readonly settle: Settle | null }
  | { readonly verb: 'settle'; readonly settle: Settle }
  /** Start a release beside the one that serves, and let a rollout decide which of them stays. */
  | { readonly verb: 'let-in'; readonly takeOver: TakeOver; readonly rollout: RolloutOrder }
  /** To a balancer: divide the visitors of hosts that run both versions. */
  | { readonly verb: 'divide'; readonly rollout: RolloutOrder }
  /** The balancer has decided: one version stays. */
  | { readonly verb: 'end-rollout'; readonly app: string; readonly status: RolloutStatus }
  /** Back to the version that stands by, after another host's failure. */
  | {
      readonly verb: 'revert';
      readonly placed: Placed;
      readonly old: Colour | null;
      readonly proven: boolean;
    };

/** How long a command of the definition may take. */
export const HOOK_SECONDS = 600;
/** How long installing dependencies, or building on the host, may take. */
export const BUILD_SECONDS = 1800;

/** Steps as people see them and failures name them. */
export const RELEASE_STEPS = [
  'lock',
  'place',
  'before_cut_over',
  'start',
  'health',
  'proxy',
  'switch',
  'processes',
  'rollout',
  'probation',
  'jobs',
  'drain',
  'guard',
  'after_deploy',
  'revert',
] as const;
export type ReleaseStep = (typeof RELEASE_STEPS)[number];

/**
 * Exit code of a release's `check` where nothing answers at all; 0: healthy, 1: an answer that is not
 * good.
 */
export const CHECK_SILENT = 2;

/** Exit code of the program where an order failed; what failed was said by an event. */
export const EXIT_ORDER_FAILED = 30;

/** One line of the program's standard output. While it waits, it says something every second or so. */
export type ReleaseEvent =
  | {
      readonly event: 'started' | 'running' | 'done' | 'skipped' | 'failed';
      readonly step: ReleaseStep;
      /** The rest of a sentence; empty: nothing to say. */
      readonly detail: string;
    }
  /** A line that the new version, a hook or nginx printed. */
  | { readonly event: 'log'; readonly line: string }
  /** The order is carried out. */
  | { readonly event: 'end' };
