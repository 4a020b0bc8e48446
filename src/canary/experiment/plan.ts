/** What an experiment will be, from the configuration and the command line. Pure. */
import { canarySchema } from '../../config/app-schema.ts';
import { type Fault, parseFault } from '../../config/faults.ts';
import type { AppConfig, CanaryConfig, CanaryRequest, Config } from '../../config/schema.ts';
import { closest, Failure } from '../../errors.ts';
import {
  defaultSequentialConfig,
  type SequentialConfig,
  seededUniform,
  sequentialConfig,
  type Traffic,
} from '../../judge/index.ts';
import type { JudgeName } from '../judging/conclude.ts';
import { hastened, type Replay } from '../load/replay.ts';

/** What the command line says; what is absent comes from the configuration. */
export interface CanaryOptions {
  readonly baseline: string;
  readonly candidate: string;
  readonly app?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly rate?: number | undefined;
  readonly traffic?: Traffic | undefined;
  readonly split?: number | undefined;
  /** Instead of `canary.faults`. */
  readonly faults?: readonly string[] | undefined;
  readonly judge?: JudgeName | undefined;
  readonly seed: number;
  /** Load from production instead of `canary.requests`. */
  readonly replay?: Replay | undefined;
  /** So many times production's rate, where the load is a replay; absent: `rate`, or once. */
  readonly times?: number | undefined;
  /** What databases are filled with instead of their seeds: files of this machine, by key. */
  readonly backups?: ReadonlyMap<string, string> | undefined;
  /** The hosts stay for the next run. */
  readonly keep: boolean;
  /** Inventory with the groups proxy, blue and green; absent: local hosts. */
  readonly inventory?: string | undefined;
}

export interface RunPlan {
  readonly app: string;
  readonly definition: AppConfig;
  readonly canary: CanaryConfig;
  readonly rate: number;
  /** Its timetable in the time of this run; absent: requests at constant distance. */
  readonly replay?: Replay | undefined;
  readonly durationSeconds: number;
  readonly traffic: Traffic;
  readonly split: number;
  readonly faults: readonly Fault[];
  readonly judge: JudgeName;
  readonly seed: number;
  /** Which host runs the baseline: alternates with the seed, so that no host is always the baseline. */
  readonly baselineColour: 'blue' | 'green';
  readonly config: SequentialConfig;
}

/** Requests in all, whatever rate and duration say. */
const MOST_REQUESTS = 2_000_000;

/**
 * @throws Failure kind `usage` for an application without a canary, and for options that make no experiment.
 */
export function planRun(config: Config, options: CanaryOptions): RunPlan {
  const app = options.app ?? onlyCanary(config);
  const definition = config.apps[app];
  if (definition === undefined) {
    const near = closest(app, Object.keys(config.apps));
    throw new Failure('usage', `There is no application "${app}" in ${config.path}.`, {
      next: near === undefined ? 'Describe it under apps: there.' : `Did you mean "${near}"?`,
    });
  }
  const canary = canaryOf(definition, options.replay);
  if (canary === undefined) {
    throw new Failure(
      'usage',
      `${app} has no canary.requests and no canary.flows in ${config.path}, so there is no load to compare ` +
        'under.',
      {
        next: `Add apps.${app}.canary.requests, e.g. [{path: /}], or replay production's: --replay 1h`,
      },
    );
  }
  const durationSeconds = (options.durationMs ?? canary.duration) / 1000;
  const own = options.replay === undefined ? canary.rate : options.replay.rate * (options.times ?? 1);
  const rate = options.rate ?? own;
  const split = options.split ?? canary.split;
  check(durationSeconds >= 5 && durationSeconds <= 86_400, '--duration', 'between 5s and 24h');
  check(rate > 0 && rate <= 5_000, '--rate', 'above 0 and at most 5000 requests a second');
  check(Number.isInteger(split) && split >= 1 && split <= 99, '--split', 'a whole number from 1 to 99');
  check(
    rate * durationSeconds <= MOST_REQUESTS,
    '--rate',
    `such that at most ${MOST_REQUESTS} requests are sent`,
  );
  const traffic = options.traffic ?? 'interleaved';
  if (traffic === 'sequential' && canary.flows.length > 0) {
    throw new Failure(
      'usage',
      `${app} has canary.flows, whose visitors --traffic sequential would move from one side to the other.`,
      { next: 'Leave --traffic out: each visitor then stays on one side.' },
    );
  }
  const faults = plannedFaults(options.faults ?? canary.faults, app, definition, durationSeconds);
  return {
    app,
    definition,
    canary,
    rate,
    replay: options.replay && atRate(options.replay, rate),
    durationSeconds,
    traffic,
    split,
    faults,
    judge: options.judge ?? 'sequential',
    seed: options.seed,
    baselineColour: seededUniform(options.seed)() < 0.5 ? 'blue' : 'green',
    config: judgeConfig(canary, traffic, durationSeconds, lastFault(faults)),
  };
}

/** What the definition says, with the load that there is; undefined: there is none. */
function canaryOf({ canary }: AppConfig, replay: Replay | undefined): CanaryConfig | undefined {
  if (replay !== undefined)
    return { ...(canary ?? canarySchema.parse({})), requests: [...replay.requests], flows: [] };
  return canary === undefined || canary.requests.length + canary.flows.length === 0 ? undefined : canary;
}

/** Seconds that must be left after a fault, to see how a side recovers. */
const AFTER_FAULT = 5;

/** @throws Failure kind `usage` for what is no fault, or cannot be done to this application in this time. */
function plannedFaults(
  texts: readonly string[],
  app: string,
  { databases }: AppConfig,
  durationSeconds: number,
): readonly Fault[] {
  return texts.map((text) => {
    const fault = parseFault(text);
    const wrong = (message: string, next: string) => new Failure('usage', message, { next });
    if (typeof fault === 'string') throw wrong(`${fault}.`, 'Correct --fault or canary.faults.');
    if (fault.kind.endsWith(':database') && Object.keys(databases).length === 0)
      throw wrong(`${app} has no database for ${fault.kind}.`, 'Leave it out, or describe databases:.');
    if (fault.at + fault.seconds + AFTER_FAULT > durationSeconds) {
      throw wrong(
        `"${text}" ends ${fault.at + fault.seconds} s after the first request, and the experiment lasts ` +
          `${durationSeconds} s.`,
        `Leave ${AFTER_FAULT} s after it to recover: a longer --duration, or an earlier or shorter fault.`,
      );
    }
    return fault;
  });
}

/** When the last one is over and recovered from: no pass before. */
function lastFault(faults: readonly Fault[]): number {
  return Math.max(0, ...faults.map(({ at, seconds }) => at + seconds + AFTER_FAULT));
}

function atRate(replay: Replay, rate: number): Replay {
  return { ...replay, rate, timetable: hastened(replay.timetable, rate / replay.rate) };
}

function check(good: boolean, option: string, range: string): void {
  if (!good)
    throw new Failure('usage', `${option} must be ${range}.`, { next: 'See pipeline canary --help.' });
}

function onlyCanary(config: Config): string {
  const names = Object.keys(config.apps).filter((name) => config.apps[name]?.canary !== undefined);
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  throw new Failure(
    'usage',
    names.length === 0
      ? `No application in ${config.path} has a canary:.`
      : `Several applications have a canary: ${names.join(', ')}.`,
    { next: names.length === 0 ? 'Add apps.<name>.canary.requests there.' : 'Name one with --app.' },
  );
}

/** The judge's metrics by the names that reports give them. */
const KINDS: Readonly<Record<string, keyof SequentialConfig['metrics']>> = {
  'errors (5xx)': 'errors-5xx',
  'errors (4xx)': 'errors-4xx',
  'wrong bodies': 'bodies',
  'response size': 'size',
  restarts: 'restarts',
  'error lines': 'error-lines',
  'cpu for each request': 'cpu',
  memory: 'memory',
};
const QUANTILES = defaultSequentialConfig.quantiles.map(({ quantile }) => latencyName(quantile));

/** Words for `canary.critical`, each for one or several metrics of reports, whose own names are words too. */
const CRITICAL_WORDS: Readonly<Record<string, readonly string[]>> = {
  errors: ['errors (5xx)', 'errors (4xx)'],
  bodies: ['wrong bodies'],
  latency: QUANTILES,
  size: ['response size'],
  cpu: ['cpu for each request'],
  ...Object.fromEntries([...Object.keys(KINDS), ...QUANTILES].map((name) => [name, [name]])),
};

function latencyName(quantile: number): string {
  return `latency p${Number((quantile * 100).toFixed(3))}`;
}

/**
 * Names of the metrics that `critical` means, as reports have them; undefined where it says nothing.
 * @throws Failure kind `usage` for a word that means none, and for a list without any: nothing could pass
 */
function criticalMetrics(words: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (words === undefined) return undefined;
  const known = `There are: ${Object.keys(CRITICAL_WORDS).join(', ')}.`;
  if (words.length === 0) {
    throw new Failure('usage', 'canary.critical is empty, so no candidate could ever pass.', {
      next: `Leave it out, or name a metric. ${known}`,
    });
  }
  const names = words.flatMap((word) => {
    const key = word.trim().toLowerCase();
    const meant = Object.hasOwn(CRITICAL_WORDS, key) ? CRITICAL_WORDS[key] : undefined;
    if (meant !== undefined) return meant;
    const near = closest(key, Object.keys(CRITICAL_WORDS));
    const hint = near === undefined ? '' : `Did you mean "${near}"? `;
    throw new Failure('usage', `canary.critical names "${word}", which is not a metric.`, {
      next: `${hint}${known}`,
    });
  });
  return new Set(names);
}

/** Weight of a metric that only reports by default, once the application calls it critical. */
const LEAST_WEIGHT = 2;

/**
 * The judge's configuration: its defaults, with tolerance, warm-up, deadline and critical metrics of the
 * application.
 */
function judgeConfig(
  canary: CanaryConfig,
  traffic: Traffic,
  durationSeconds: number,
  notBefore: number,
): SequentialConfig {
  const { quantiles, metrics, ...rest } = defaultSequentialConfig;
  const critical = criticalMetrics(canary.critical);
  const role = (name: string, now: 'critical' | 'watched' | 'informative') => {
    if (critical === undefined) return now;
    if (critical.has(name)) return 'critical' as const;
    return now === 'critical' ? ('watched' as const) : now;
  };
  const named = Object.entries(KINDS).map(([name, kind]) => {
    const settings = metrics[kind];
    const now = role(name, settings.role);
    // What may reject a candidate needs a share of the false-alarm budget.
    const weight = now === 'informative' ? settings.weight : Math.max(settings.weight, LEAST_WEIGHT);
    return [kind, { ...settings, role: now, weight }];
  });
  return sequentialConfig({
    ...rest,
    traffic,
    warmupSeconds: canary.warm_up / 1000,
    minimumSeconds: Math.max(rest.minimumSeconds, notBefore),
    deadlineSeconds: durationSeconds,
    quantiles: quantiles.map((entry) => ({
      ...entry,
      role: role(latencyName(entry.quantile), entry.role),
      tolerance: canary.tolerance,
      margin: Math.max(entry.margin, canary.tolerance),
    })),
    metrics: { ...metrics, ...Object.fromEntries(named) },
    ...ownMetrics(canary),
  });
}

/** What a pass of one's own metric excludes beyond its tolerance. */
const OWN_MARGIN = 0.1;

function ownMetrics({ metrics }: CanaryConfig): Pick<SequentialConfig, 'own'> {
  if (metrics.length === 0) return {};
  const settings = metrics.map(({ name, type, role, tolerance }) => [
    name,
    { type, role, weight: LEAST_WEIGHT, tolerance, margin: tolerance + OWN_MARGIN, absolute: 0 },
  ]);
  return { own: Object.fromEntries(settings) };
}

/** Paths that a side may be asked for, in the order in which they are tried. */
export function pathsOf(request: CanaryRequest, side: 'baseline' | 'candidate'): readonly string[] {
  const own = side === 'baseline' ? request.baseline_path : request.candidate_path;
  if (own !== undefined) return [own];
  return typeof request.path === 'string' ? [request.path] : request.path;
}
