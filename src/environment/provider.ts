/**
 * Which provider, and why: `--provider`, else PIPELINE_PROVIDER, else pipeline.yml, else a token in the
 * environment, else local.
 */
import type { EnvironmentSpec, Provider } from '../cloud/provider.ts';
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { closest, Failure } from '../errors.ts';

export type ProviderName = Provider['name'];

const NAMES: readonly ProviderName[] = ['local', 'digitalocean'];
/** Variables that may hold a DigitalOcean token, the first one set wins. */
const TOKEN_VARIABLES = ['DOTOKEN', 'DIGITALOCEAN_TOKEN', 'DIGITALOCEAN_ACCESS_TOKEN'] as const;

export interface ProviderChoice {
  readonly name: ProviderName;
  /** Why this one, for the first line of `up`; may end with how to get the other. */
  readonly reason: string;
}

/** @throws Failure `usage` where a name is unknown. */
export function chooseProvider(
  flag: string | undefined,
  env: Context['env'],
  config: Pick<Config, 'provider'>,
): ProviderChoice {
  if (flag !== undefined) return { name: known(flag, '--provider'), reason: 'as --provider says' };
  const variable = env.PIPELINE_PROVIDER ?? '';
  if (variable !== '')
    return { name: known(variable, 'PIPELINE_PROVIDER'), reason: 'as PIPELINE_PROVIDER says' };
  if (config.provider !== undefined) return { name: config.provider, reason: 'as pipeline.yml says' };
  const token = TOKEN_VARIABLES.find((name) => (env[name] ?? '') !== '');
  if (token !== undefined) return { name: 'digitalocean', reason: `there is a token in ${token}` };
  return {
    name: 'local',
    reason: 'no token in DOTOKEN (droplets: pipeline prod up --provider digitalocean)',
  };
}

/** The chosen provider's implementation; loaded only when needed. */
export async function openProvider(
  choice: ProviderChoice,
  spec: EnvironmentSpec,
  context: Context,
): Promise<Provider> {
  if (choice.name === 'local') {
    const { createLocalProvider } = await import('../cloud/local/provider.ts');
    return createLocalProvider(context, spec);
  }
  const token = TOKEN_VARIABLES.map((name) => context.env[name] ?? '').find((value) => value !== '');
  if (token === undefined) {
    throw new Failure(
      'usage',
      'DigitalOcean needs an API token, and none of DOTOKEN, DIGITALOCEAN_TOKEN, ' +
        'DIGITALOCEAN_ACCESS_TOKEN is set',
      {
        next:
          'Make one with read and write scope at cloud.digitalocean.com/account/api/tokens, then: ' +
          'export DOTOKEN=…',
      },
    );
  }
  const { createDigitalOceanProvider } = await import('../cloud/digitalocean/provider.ts');
  const apiUrl = context.env.DIGITALOCEAN_API_URL ?? '';
  return createDigitalOceanProvider(context, spec, { token, ...(apiUrl === '' ? {} : { apiUrl }) });
}

function known(name: string, from: string): ProviderName {
  const match = NAMES.find((candidate) => candidate === name);
  if (match !== undefined) return match;
  const guess = closest(name, NAMES);
  throw new Failure('usage', `${from}: there is no provider "${name}"`, {
    next: guess === undefined ? `Choose one of ${NAMES.join(', ')}.` : `Did you mean ${guess}?`,
  });
}
