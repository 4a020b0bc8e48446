/** Sends a host what a release needs and the host lacks: the artifact, and Node. */
import { stat } from 'node:fs/promises';
import type { Artifact } from '../../build/artifact.ts';
import { nodeArchive } from '../../build/node-runtime.ts';
import { sha256 } from '../../build/pack.ts';
import type { Context } from '../../context.ts';
import { INCOMING } from '../../contract/places.ts';
import { engineOf } from '../../contract/tools.ts';
import { Failure } from '../../errors.ts';
import { bytes } from '../../format.ts';
import type { AppFacts } from '../look/facts.ts';
import type { ReleaseHost } from '../types.ts';

const TELL_EVERY_MS = 200;

/** Sends the artifact, named by its hash, so a host gets the same one once at most. */
export async function sendArtifact(
  host: ReleaseHost,
  facts: AppFacts,
  artifact: Artifact,
  context: Context,
): Promise<void> {
  const { architecture } = artifact;
  if (architecture !== null && architecture !== facts.architecture) {
    throw new Failure(
      'usage',
      `${artifact.app} has native modules for ${architecture}, but ${host.name} is ${facts.architecture}`,
      {
        host: host.name,
        next: `Build on a machine with ${facts.architecture}, or choose another size of host.`,
      },
    );
  }
  if (facts.incoming.has(artifact.sha256)) return;
  await send(host, 'upload', artifact.path, artifact.sha256, context);
}

/** Sends Node if the host lacks that version. @returns the archive's SHA-256; undefined: nothing was sent. */
export async function sendNode(
  host: ReleaseHost,
  facts: AppFacts,
  version: string | null,
  context: Context,
): Promise<string | undefined> {
  if (version === null || facts.nodes.has(version)) return undefined;
  const path = await nodeArchive({ version, architecture: facts.architecture }, context);
  const hash = await sha256(path);
  const { name, version: exact } = engineOf(version);
  const what = name === 'node' ? `Node ${exact}` : `${name} ${exact}`;
  if (!facts.incoming.has(hash)) await send(host, `upload ${what}`, path, hash, context);
  return hash;
}

async function send(
  host: ReleaseHost,
  stage: string,
  path: string,
  hash: string,
  context: Context,
): Promise<void> {
  const of = (await stat(path)).size;
  const tell = (state: 'started' | 'running' | 'done' | 'failed', done: number) =>
    context.progress({
      host: host.name,
      stage,
      state,
      detail: state === 'done' ? bytes(of) : `${bytes(done)} of ${bytes(of)}`,
      count: { done, of },
    });
  tell('started', 0);
  let told = performance.now();
  try {
    await host.connection.upload({ path }, `${INCOMING}/${hash}`, {
      mode: '0600',
      signal: context.signal,
      onProgress: (done) => {
        if (performance.now() - told < TELL_EVERY_MS) return;
        told = performance.now();
        tell('running', done);
      },
    });
  } catch (error) {
    context.progress({ host: host.name, stage, state: 'failed' });
    throw error;
  }
  tell('done', of);
}
