/** The order for a command in a release. Pure. */
import type { CommandOrder } from '../../contract/command.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { releaseFolder, STATE_ROOT, systemUser } from '../../contract/places.ts';
import { ownVariables } from '../../contract/tools.ts';
import { confinement, surroundings } from '../order/unit.ts';

/** What is asked for. `token`: hexadecimal digits, drawn anew. */
export interface Asked extends Pick<CommandOrder, 'by' | 'words' | 'terminal' | 'secrets'> {
  readonly token: string;
}

/** It has what the release's processes have, but for the port that visitors come to. */
export function commandOrder(manifest: Manifest, { token, ...asked }: Asked): CommandOrder {
  const { app, release } = manifest;
  const folder = releaseFolder(app, release);
  const { directory, path } = surroundings(manifest, folder);
  const user = systemUser(app);
  const environment = `${folder}/env`;
  return {
    ...asked,
    app,
    release,
    environment,
    unit: `pipeline-run-${app}-${token}.service`,
    properties: [
      `User=${user}`,
      `Group=${user}`,
      `WorkingDirectory=${directory}`,
      `Environment="PATH=${path}" "HOME=${STATE_ROOT}/${app}"`,
      ...ownVariables(manifest, folder).map((variable) => `Environment=${variable}`),
      `EnvironmentFile=${environment}`,
      'TimeoutStopSec=10s',
      ...confinement(manifest),
    ],
  };
}
