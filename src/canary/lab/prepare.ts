/**
 * The three hosts become what the experiment needs: a proxy with its site, and one version each on two equal
 * hosts.
 */
import { join } from 'node:path';
import type { Artifact } from '../../build/artifact.ts';
import { nodeArchive, nodeForBuilds, resolveNode } from '../../build/node-runtime.ts';
import { sha256 } from '../../build/pack.ts';
import type { Exposure, PlacedProgram } from '../../cloud/provider.ts';
import type { Context } from '../../context.ts';
import { asFailure, Failure } from '../../errors.ts';
import { converge } from '../../host/converge.ts';
import type { Resource } from '../../host/resource.ts';
import { firewall } from '../../roles/firewall.ts';
import { rolesFor } from '../../roles/index.ts';
import { withValues } from '../../ssh/script.ts';
import { takeOffBrought } from './brought.ts';
import type { Lab, LabHost } from './hosts.ts';
import {
  BEGIN,
  installScript,
  journalScript,
  LIST,
  nodePath,
  REMOVE,
  type ServiceSpec,
  unpackNode,
  uploadPath,
} from './service.ts';
import versions from './versions.sh' with { type: 'text' };

/** The agent and its Node, as files of this machine. */
export interface AgentFiles {
  readonly path: string;
  readonly sha256: string;
  /** Node version that runs it on every host. */
  readonly node: string;
}

/** Oldest Node that runs the agent. */
const AGENT_NODE = 20;

/** The agent, and the Node for it: the services' own where it is new enough, so that one less is sent. */
export async function agentFiles(
  path: string,
  artifacts: readonly Artifact[],
  context: Context,
): Promise<AgentFiles> {
  const own = artifacts.map(({ node }) => node).find((node) => Number(node?.split('.')[0]) >= AGENT_NODE);
  const node =
    own ??
    (await resolveNode('the agent', { range: `>=${AGENT_NODE}`, preferLts: true, from: 'default' }, context));
  return { path, sha256: await sha256(path), node: node ?? '' };
}

/** Each Node as this machine has it unpacked, which is of the same kind as its local hosts. */
export async function localPrograms(
  versions: readonly string[],
  context: Context,
): Promise<readonly PlacedProgram[]> {
  return Promise.all(
    [...new Set(versions)].map(async (version) => ({
      from: join(await nodeForBuilds(version, context), 'bin', 'node'),
      to: nodePath(version),
    })),
  );
}

/** Where the agent is on a host. */
export function agentPath(agent: AgentFiles): string {
  return uploadPath('agent', `${agent.sha256.slice(0, 16)}.js`);
}

/**
 * Node's official binaries are linked against it from version 25 on, and Debian does not have it by itself.
 */
const LIBATOMIC: Resource = { kind: 'package', name: 'libatomic1' };

interface Upload {
  readonly from: string;
  readonly to: string;
}

/** The proxy as it was made ready. */
export interface ReadyProxy {
  /** What runs there, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Its kernel has no IPv6. */
  readonly noIpv6: boolean;
}

/** nginx, firewall, agent. */
export async function prepareProxy(
  lab: Lab,
  sitePort: number,
  agent: AgentFiles,
  context: Context,
): Promise<ReadyProxy> {
  const host = lab.hosts.proxy;
  return reported(host, 'nginx and agent', context, async () => {
    const exposures: Exposure[] = [{ port: sitePort, protocol: 'tcp', from: 'operators' }];
    const params = roleParams(lab, host, exposures);
    // The line and the processor: files travel while packages are unpacked.
    const [{ facts }] = await Promise.all([
      converge(host.connection, [firewall(params), LIBATOMIC, ...rolesFor('nginx', params)], context),
      architectureOf(host, context).then(async (architecture) =>
        upload(host, [await nodeUpload(agent.node, architecture, context), agentUpload(agent)], context),
      ),
    ]);
    const text = await host.connection.check(
      `set -eu\n${unpackNode(agent.node)}\nnginx -v 2>&1 | sed 's|.*/|nginx |'\n${VERSIONS}`,
      { label: 'unpack the agent', signal: context.signal },
    );
    return { versions: versionsIn(text), noIpv6: facts.host.noIpv6 === true };
  });
}

/** One version as a service: started, not yet known to be healthy. Returns what runs there, by name. */
export async function prepareSide(
  lab: Lab,
  host: LabHost,
  port: number,
  spec: ServiceSpec,
  agent: AgentFiles,
  secrets: readonly string[],
  context: Context,
): Promise<Readonly<Record<string, string>>> {
  return reported(host, `${spec.artifact.ref} as a service`, context, async () => {
    const exposures: Exposure[] = [{ port, protocol: 'tcp', from: 'fleet' }];
    await Promise.all([
      converge(host.connection, [firewall(roleParams(lab, host, exposures)), LIBATOMIC], context),
      sendArtifact(host, spec, agent, context),
    ]);
    const text = await host.connection.check(
      `${installScript(spec)}${unpackNode(agent.node)}\necho node ${spec.node}\n${VERSIONS}`,
      { label: 'start the service', signal: context.signal, secrets },
    );
    return versionsIn(text);
  });
}

/** A host to which a version is about to be deployed: closed but for its site, with the agent. */
export async function prepareReleaseHost(
  lab: Lab,
  host: LabHost,
  sitePort: number,
  agent: AgentFiles,
  context: Context,
): Promise<void> {
  const exposures: Exposure[] = [{ port: sitePort, protocol: 'tcp', from: 'fleet' }];
  await reported(host, 'firewall and agent', context, async () => {
    const [architecture] = await Promise.all([
      architectureOf(host, context),
      converge(host.connection, [firewall(roleParams(lab, host, exposures)), LIBATOMIC], context),
    ]);
    await upload(host, [await nodeUpload(agent.node, architecture, context), agentUpload(agent)], context);
    const script = `set -eu\n${unpackNode(agent.node)}\n${BEGIN}`;
    await host.connection.check(script, { label: 'unpack the agent', signal: context.signal });
  });
}

/** What a deployed version runs on, by name. */
export async function versionsOn(
  host: LabHost,
  { node, runtime }: Artifact,
  context: Context,
): Promise<Readonly<Record<string, string>>> {
  const text = await host.connection.check(withValues(versions, { node: node ?? '', runtime }), {
    label: 'what runs there',
    signal: context.signal,
  });
  return versionsIn(text);
}

/** Artifact, its Node, the agent and its Node. */
async function sendArtifact(
  host: LabHost,
  spec: ServiceSpec,
  agent: AgentFiles,
  context: Context,
): Promise<void> {
  const { artifact } = spec;
  const architecture = await architectureOf(host, context);
  if (artifact.architecture !== null && artifact.architecture !== architecture) {
    throw new Failure(
      'host',
      `${host.name} is ${architecture}, and the native modules of ${artifact.ref} were built for ` +
        `${artifact.architecture}.`,
      { host: host.name, next: `Give hosts of kind ${artifact.architecture}.` },
    );
  }
  const nodes = [...new Set([spec.node, agent.node])];
  const files = [
    ...(await Promise.all(nodes.map((node) => nodeUpload(node, architecture, context)))),
    { from: artifact.path, to: uploadPath('artifact', artifact.sha256) },
    agentUpload(agent),
  ];
  await upload(host, files, context);
}

/** The last lines of a side's journal. Never throws: a report without them is better than none. */
export async function journalOf(
  host: LabHost,
  units: readonly string[],
  secrets: readonly string[],
  context: Context,
): Promise<string[]> {
  try {
    const { stdout } = await host.connection.script(journalScript(units, 30), {
      label: 'journal of the version',
      timeoutMs: 10_000,
      secrets,
    });
    const hidden = secrets.reduce(
      (text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')),
      stdout,
    );
    return hidden
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(0, 500));
  } catch (error) {
    context.trace(`${host.name}: no journal: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/**
 * Takes the canary from hosts that stay. What cannot be taken away is said as progress: the verdict is worth
 * more.
 */
export async function cleanHosts(lab: Lab, context: Context): Promise<void> {
  const quiet = { ...context, signal: new AbortController().signal };
  await Promise.all(
    Object.values(lab.hosts).map(async (host) => {
      const stage = 'removing the canary';
      context.progress({ host: host.name, stage, state: 'started' });
      try {
        await takeOffBrought(host, quiet);
        await host.connection.check(REMOVE, { label: stage });
        // Closed again; nginx and the firewall itself stay.
        await converge(host.connection, [firewall(roleParams(lab, host, []))], {
          ...quiet,
          progress: () => {},
        });
        context.progress({ host: host.name, stage, state: 'done' });
      } catch (error) {
        context.progress({ host: host.name, stage, state: 'failed', detail: asFailure(error).message });
      }
    }),
  );
}

const VERSIONS = `. /etc/os-release; echo "$ID $VERSION_ID"; echo "linux $(uname -r)"`;

function versionsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [name, version] = line.trim().split(' ');
      return name === undefined || version === undefined || name === '' ? [] : [[name, version]];
    }),
  );
}

function roleParams(lab: Lab, host: LabHost, exposures: readonly Exposure[]) {
  return {
    fleet: [...new Set(Object.values(lab.hosts).map(({ address }) => address))],
    operators: lab.operators,
    sshPorts: [...new Set([22, host.connection.target.port])],
    exposures,
  };
}

async function architectureOf(host: LabHost, context: Context): Promise<'x64' | 'arm64'> {
  const machine = (
    await host.connection.check('uname -m', { label: 'which processor', signal: context.signal })
  ).trim();
  if (machine === 'x86_64') return 'x64';
  if (machine === 'aarch64') return 'arm64';
  throw new Failure(
    'host',
    `${host.name} has a processor of kind ${machine}, for which Node has no official binary.`,
    {
      host: host.name,
      next: 'Give a host that is x86_64 or aarch64.',
    },
  );
}

async function nodeUpload(version: string, architecture: 'x64' | 'arm64', context: Context): Promise<Upload> {
  return { from: await nodeArchive({ version, architecture }, context), to: uploadPath('node', version) };
}

function agentUpload(agent: AgentFiles): Upload {
  return { from: agent.path, to: agentPath(agent) };
}

/**
 * Sends what is not there yet. Names say what a file is, so a name that is there needs no second look; a Node
 * that is unpacked has its archive's name.
 */
async function upload(host: LabHost, files: readonly Upload[], context: Context): Promise<void> {
  const text = await host.connection.check(LIST, { label: 'what is there already', signal: context.signal });
  const there = new Set(text.split('\n'));
  const missing = files.filter(({ to }) => !there.has(to.slice(to.lastIndexOf('/') + 1)));
  await Promise.all(
    missing.map(({ from, to }) =>
      host.connection.upload({ path: from }, to, { mode: '0644', signal: context.signal }),
    ),
  );
}

async function reported<T>(
  host: LabHost,
  stage: string,
  context: Context,
  work: () => Promise<T>,
): Promise<T> {
  context.progress({ host: host.name, stage, state: 'started' });
  try {
    const result = await work();
    context.progress({ host: host.name, stage, state: 'done' });
    return result;
  } catch (error) {
    context.progress({ host: host.name, stage, state: 'failed' });
    throw error;
  }
}
