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
  /** The host that divides the visitors. */
  readonly host: ReleaseHost;
  readonly key: SplitKey;
  /** Cookie of sessions that lie in one process. */
  readonly sessionCookie: string | undefined;
  readonly secrets: SplitSecrets;
  readonly atMost: number;
  readonly otherwise: Definition['rollout']['otherwise'];
}

/** Browsers keep the cookie this much longer than the rollout may take undecided: a person may let it wait. */
const COOKIE_SPARE_SECONDS = 7 * 86_400;

/**
 * undefined: it serves already, or nothing else does, so there is nothing to let in beside anything.
 * @throws Failure kind `usage` where nobody could divide the visitors.
 */
export function planRollout(
  { app, hosts }: ReleasePlan,
  steps: readonly number[],
  { definition, secrets }: { readonly definition: Definition; readonly secrets: Secrets },
): PlannedRollout | undefined {
  const [only] = hosts;
  if (hosts.every(({ takeOver }) => takeOver === undefined)) return undefined;
  if (hosts.every(({ facts }) => liveRelease(facts) === undefined)) return undefined;
  if (only === undefined || hosts.length > 1) throw nobodyDivides(app);
  const { at_most: atMost, otherwise, by } = definition.rollout;
  return {
    id: randomBytes(8).toString('hex'),
    seed: randomBytes(16).toString('hex'),
    steps: steps.at(-1) === 100 ? steps : [...steps, 100],
    host: only.host,
    key: keyOf(by, atMost),
    sessionCookie: sessionCookieOf(definition, only.takeOver?.manifest.runtime),
    secrets: secretsOf(definition, secrets),
    atMost,
    otherwise,
  };
}

function nobodyDivides(app: string): Failure {
  return new Failure('usage', `${app} has several hosts, and nobody divides its visitors for a rollout`, {
    next: 'Deploy it without --canary, or give it one host.',
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
