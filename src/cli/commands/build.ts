/** `pipeline build APP [REF]`: from a git ref to an artifact. */
import { buildArtifact } from '../../build/build.ts';
import { loadConfig } from '../../config/load.ts';
import { artifactLine, conventionLines } from '../artifact-line.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

export const build: Handler<typeof definitions.build> = async (options, session) => {
  const { output, context } = session;
  const config = await loadConfig(session.common.config, context);
  const artifact = await buildArtifact(config, argument(session, 0) ?? '', argument(session, 1), context, {
    file: options.artifact,
  });
  output.line(artifactLine(artifact));
  for (const line of conventionLines(artifact)) output.line(line);
  output.line(`  ${artifact.path}`);
  output.line(
    `Next: pipeline deploy ${artifact.app} ` +
      `${options.artifact === undefined ? artifact.ref : `--artifact ${options.artifact}`}`,
  );
  return {
    json: {
      app: artifact.app,
      ref: artifact.ref,
      commit: artifact.commit,
      artifact: artifact.path,
      sha256: artifact.sha256,
      cached: artifact.cached,
      bytes: artifact.bytes,
      node: artifact.node,
      seconds: artifact.seconds,
    },
  };
};
