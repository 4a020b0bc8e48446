/** The agent, the hub and a Node for them on a host: each sent once, named by its hash or version. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { nodeArchive, resolveNode } from '../build/node-runtime.ts';
import type { Context } from '../context.ts';
import { AGENT_NODES } from '../contract/places.ts';
import { Failure } from '../errors.ts';
import type { Change } from '../host/change.ts';
import { installed } from '../installation.ts';
import type { Connection } from '../ssh/connection.ts';
import { command } from '../ssh/quote.ts';
import { withValues } from '../ssh/script.ts';
import prune from './prune.sh' with { type: 'text' };
import unpackNode from './unpack-node.sh' with { type: 'text' };

/** Not below /opt/pipeline/node, where deploys remove versions that no release needs. */
const FOLDER = AGENT_NODES;

export interface Programs {
  readonly node: string;
  readonly agent: { readonly from: string; readonly to: string };
  readonly hub: { readonly from: string; readonly to: string };
}

export async function findPrograms(context: Context): Promise<Programs> {
  const [agent, hub, node] = await Promise.all([
    program('agent', 'cjs'),
    program('hub', 'mjs'),
    resolveNode('the monitor', { range: '>=20', preferLts: true, from: 'default' }, context),
  ]);
  return { node, agent, hub };
}

/** Path of Node on hosts. */
export function nodePath(version: string): string {
  return `${FOLDER}/node-${version}/bin/node`;
}

/** @param kind the form of module that scripts/build.mjs makes of it */
async function program(name: 'agent' | 'hub', kind: 'cjs' | 'mjs') {
  const from = installed(`dist/${name}.js`);
  const data = await readFile(from).catch(() => undefined);
  if (data === undefined)
    throw new Failure('usage', `${name}.js, which runs on hosts, is not built.`, {
      next: 'Run "npm ci" once in the folder of pipeline.',
    });
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 16);
  return { from, to: `${FOLDER}/${name}-${hash}.${kind}` };
}

/** Sends what is missing. @returns what was sent */
export async function sendPrograms(
  connection: Connection,
  { node, agent, hub }: Programs,
  isMonitor: boolean,
  context: Context,
): Promise<readonly Change[]> {
  const files = isMonitor ? [agent, hub] : [agent];
  const options = { label: 'programs of the monitor', signal: context.signal };
  const paths = command([...files.map(({ to }) => to), nodePath(node)]);
  const look = `mkdir -p ${FOLDER}; uname -m; ls ${paths} 2>/dev/null || true`;
  const [machine = '', ...there] = (await connection.check(look, options)).trim().split('\n');
  const sent: Change[] = [];
  for (const { from, to } of files) {
    if (there.includes(to)) continue;
    await connection.upload({ path: from }, to, { mode: '0644', signal: context.signal });
    sent.push(brought(to));
  }
  if (!there.includes(nodePath(node))) {
    const architecture = machine === 'aarch64' ? 'arm64' : 'x64';
    const archive = `${FOLDER}/node-${node}.tgz`;
    await connection.upload({ path: await nodeArchive({ version: node, architecture }, context) }, archive, {
      mode: '0600',
      signal: context.signal,
    });
    const unpack = withValues(unpackNode, { archive, folder: `${FOLDER}/node-${node}` });
    await connection.check(unpack, { ...options, label: 'unpack Node' });
    sent.push(brought(nodePath(node)));
  }
  return sent;
}

function brought(path: string): Change {
  return { id: `file ${path}`, action: 'create', diff: [], because: [], doing: 'sending programs' };
}

/** Removes what an earlier version brought, once nothing of it runs any more. */
export async function prunePrograms(
  connection: Connection,
  { node, agent, hub }: Programs,
  isMonitor: boolean,
  context: Context,
): Promise<void> {
  const kept = [agent.to, ...(isMonitor ? [hub.to] : []), `${FOLDER}/node-${node}`];
  const script = withValues(prune, { folder: FOLDER, kept });
  await connection.check(script, { label: 'remove old programs of the monitor', signal: context.signal });
}
