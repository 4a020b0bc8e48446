/** What a rollout of a planned release is to do. Pure but for what is drawn by chance. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/schema.ts';
import { Failure } from '../../errors.ts';
import type { SplitKey, SplitSecrets } from '../../proxy/split.ts';
import type { Secrets } from '../secrets.ts';
import type { ReleaseHost } from '../types.ts';
import { liveRelease } from './decide.ts';
import type { ReleasePlan } from './plan.ts';

type Definition = Config['apps'][string];

export interface PlannedRollout {
  /** As `RolloutOrder` has them. */
  readonly id: string;
  readonly seed: string;
  readonly steps: readonly number[];
  /** The host that divides the visitors: of several, their balancer. */
  readonly host: ReleaseHost;
  readonly balanced: boolean;
  /** Every host of the application. */
  readonly hosts: readonly ReleaseHost[];
  readonly definition: Definition;
  readonly key: SplitKey;
  /** Cookie of sessions that lie in one process. */
  readonly sessionCookie: string | undefined;
  readonly secrets: SplitSecrets;
  readonly atMost: number;
  readonly otherwise: Definition['rollout']['otherwise'];
}

/**
 * Browsers keep the cookie this much longer than the rollout may take undecided: a person may let it wait.
 */
const COOKIE_SPARE_SECONDS = 7 * 86_400;

/**
 * undefined: it serves already, or nothing else does, so there is nothing to let in beside anything.
 * @throws Failure kind `usage` where nobody could divide the visitors.
 */
export function planRollout(
  { app, hosts }: ReleasePlan,
  steps: readonly number[],
  {
    definition,
    secrets,
    balancers = [],
  }: {
    readonly definition: Definition;
    readonly secrets: Secrets;
    readonly balancers?: readonly ReleaseHost[] | undefined;
  },
): PlannedRollout | undefined {
  const [only] = hosts;
  if (hosts.every(({ takeOver }) => takeOver === undefined)) return undefined;
  if (hosts.every(({ facts }) => liveRelease(facts) === undefined)) return undefined;
  if (new Set(hosts.map(({ facts }) => liveRelease(facts)?.manifest.release)).size > 1) throw differ(app);
  const divider = hosts.length === 1 ? only?.host : balancers.length === 1 ? balancers[0] : undefined;
  if (divider === undefined) throw nobodyDivides(app);
  const { at_most: atMost, otherwise, by } = definition.rollout;
  return {
    id: randomBytes(8).toString('hex'),
    seed: randomBytes(16).toString('hex'),
    steps: steps.at(-1) === 100 ? steps : [...steps, 100],
    host: divider,
    balanced: hosts.length > 1,
    hosts: hosts.map((planned) => planned.host),
    definition,
    key: keyOf(by, atMost),
    sessionCookie: sessionCookieOf(definition, only?.takeOver?.manifest.runtime),
    secrets: secretsOf(definition, secrets),
    atMost,
    otherwise,
  };
}

function nobodyDivides(app: string): Failure {
  return new Failure('usage', `${app} has several hosts, and no single balancer divides their visitors`, {
    next: 'Name one host as its balancer (site: balancer:), or deploy it without --canary.',
  });
}

function differ(app: string): Failure {
  return new Failure('usage', `the hosts of ${app} do not all serve the same version`, {
    next: `Deploy it without --canary first; pipeline releases ${app} shows which host serves which.`,
  });
}

function keyOf(by: Definition['rollout']['by'], atMost: number): SplitKey {
  if (typeof by === 'object') return { by: 'header', name: by.header };
  return by === 'visitor' ? { by, seconds: atMost / 1000 + COOKIE_SPARE_SECONDS } : { by };
}

function sessionCookieOf({ site }: Definition, runtime: string | undefined): string | undefined {
  return site.session_cookie ?? (runtime === 'tomcat' ? 'JSESSIONID' : undefined);
}

function secretsOf({ rollout: { tester: name } }: Definition, { values }: Secrets): SplitSecrets {
  const word = () => randomBytes(16).toString('hex');
  const sessions = { baseline: word(), candidate: word() };
  return { tester: name === undefined ? undefined : values[name], sessions };
}
