/** `pipeline deploy APP [REF]`: from an artifact to a live version. */
import { buildArtifact } from '../../build/build.ts';
import { loadConfig } from '../../config/load.ts';
import { deploy as release, withLock } from '../../release/index.ts';
import { appOf, withAppHosts } from '../app-hosts.ts';
import { artifactLine } from '../artifact-line.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { deployDocument, deployLines } from '../deploy-result.ts';

export const deploy: Handler<typeof definitions.deploy> = async (options, session) => {
  const { output, context } = session;
  const name = argument(session, 0) ?? '';
  const config = await loadConfig(session.common.config, context);
  const { hosts } = appOf(config, name);
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const artifact = await buildArtifact(config, name, argument(session, 1), context, {
      file: options.artifact,
    });
    output.line(`${artifactLine(artifact)}  on ${hosts.join(', ')}`);
    const result = await withLock(
      keeper.connection,
      { command: `pipeline deploy ${name}`, wait: options.wait },
      context,
      (locked) => release({ ...app, artifact }, locked),
    );
    for (const line of deployLines(result, 'deploy')) output.line(line);
    return { json: deployDocument(result) };
  });
};
