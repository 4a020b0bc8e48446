/** What most commands begin with: the configuration, the provider and the environment that they are about. */
import type { EnvironmentSpec, Provider } from '../cloud/provider.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { productionSpec } from '../environment/environment.ts';
import { chooseProvider, openProvider, type ProviderChoice } from '../environment/provider.ts';
import type { Session } from './command.ts';

export interface Project {
  readonly config: Config;
  readonly choice: ProviderChoice;
  readonly spec: EnvironmentSpec;
  readonly provider: Provider;
}

/** Loads pipeline.yml and opens the production environment at the chosen provider. */
export async function openProject(session: Session, providerFlag: string | undefined): Promise<Project> {
  const config = await loadConfig(session.common.config, session.context);
  const choice = chooseProvider(providerFlag, session.context.env, config);
  const spec = productionSpec(config);
  const provider = await openProvider(choice, spec, session.context);
  return { config, choice, spec, provider };
}
