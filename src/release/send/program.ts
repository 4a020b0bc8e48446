/** The program that runs on hosts, and its Node: each is sent once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Architecture } from '../../build/artifact.ts';
import { nodeArchive, resolveNode } from '../../build/node-runtime.ts';
import type { Context } from '../../context.ts';
import { AGENT_NODES, INCOMING, NODE_ROOT, ONHOST } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import type { Change } from '../../host/change.ts';
import { installed } from '../../installation.ts';
import type { Connection } from '../../ssh/connection.ts';
import { withValues } from '../../ssh/script.ts';
import { factLines } from '../look/fact-lines.ts';
import bring from './bring-program.sh' with { type: 'text' };
import programFacts from './program-facts.sh' with { type: 'text' };

/** The oldest Node that can run it. */
const OLDEST_NODE = 20;

/** What a host has of the program. */
export interface ProgramFacts {
  /** Name of the program that its units run; empty: none. */
  readonly program: string;
  /** Version of the Node that runs it; empty: none. */
  readonly programNode: string;
  readonly architecture: Architecture;
  /** Versions of Node in NODE_ROOT. */
  readonly nodes: ReadonlySet<string>;
  /** Versions of Node that the agent has. */
  readonly agentNodes: ReadonlySet<string>;
}

/** Prints what a host has of it, for `parseProgramFacts`. */
export const PROGRAM_FACTS = withValues(programFacts, {
  onhost: ONHOST,
  node_root: NODE_ROOT,
  agent_nodes: AGENT_NODES,
});

/** @throws Failure kind `host` if the program could not run. */
export function parseProgramFacts(host: string, all: (key: string) => readonly string[]): ProgramFacts {
  const machine = all('architecture')[0];
  if (machine !== 'x86_64' && machine !== 'aarch64') {
    throw new Failure('host', `${host} has an unsupported processor: ${machine ?? 'unknown'}`, {
      host,
      next: 'Applications are deployed to x86_64 and aarch64 hosts.',
    });
  }
  return {
    architecture: machine === 'x86_64' ? 'x64' : 'arm64',
    program: all('program')[0] ?? '',
    programNode: all('program-node')[0] ?? '',
    nodes: new Set(all('node')),
    agentNodes: new Set(all('agent-node')),
  };
}

/** The command that runs it, for a shell. */
export function programCommand(name: string): string {
  return `${ONHOST}/node/bin/node ${ONHOST}/${name}`;
}

/** Name of this version's program on hosts. @throws Failure kind `usage` if it is not built. */
export async function programName(): Promise<string> {
  return (await bundle()).name;
}

/**
 * Brings what is missing, and makes units run this version. A Node that the host has for an application or
 * the agent will do.
 * @param wish a version that is sent anyway; null: none.
 * @returns the versions of Node now in the host's NODE_ROOT.
 */
export async function bringProgram(
  connection: Connection,
  facts: ProgramFacts,
  wish: string | null,
  context: Context,
): Promise<Pick<ProgramFacts, 'nodes'>> {
  const { name, data } = await bundle();
  if (isThere(facts, name)) return facts;
  const host = connection.target.name;
  const stage = 'program of pipeline';
  context.progress({ host, stage, state: 'started' });
  try {
    const version = await chooseNode(facts, wish, context);
    const archive = await sendNode(connection, facts, version, context);
    if (facts.program !== name) {
      await connection.upload({ data }, `${ONHOST}/${name}`, { mode: '0644', signal: context.signal });
    }
    const values = { folder: ONHOST, name, version, archive, nodes: NODE_ROOT, agents: AGENT_NODES };
    await connection.check(withValues(bring, values), { label: stage, signal: context.signal });
    context.progress({ host, stage, state: 'done' });
    return { nodes: new Set([...facts.nodes, version]) };
  } catch (error) {
    context.progress({ host, stage, state: 'failed' });
    throw error;
  }
}

/**
 * The same as part of converging a host.
 * @returns what changed, or with `dryRun` would change; nothing if the host has it.
 */
export async function convergeProgram(
  connection: Connection,
  context: Context,
  { dryRun = false } = {},
): Promise<readonly Change[]> {
  const options = { label: 'look at the program of pipeline', signal: context.signal };
  const all = factLines(await connection.check(PROGRAM_FACTS, options));
  const facts = parseProgramFacts(connection.target.name, all);
  if (isThere(facts, await programName())) return [];
  if (!dryRun) await bringProgram(connection, facts, null, context);
  return [await programChange()];
}

/** How a plan calls bringing it. */
export async function programChange(): Promise<Change> {
  const id = `file ${ONHOST}/${await programName()}`;
  return { id, action: 'create', diff: [], because: [], doing: 'sending the program of pipeline' };
}

function isThere({ program, programNode }: ProgramFacts, name: string): boolean {
  return program === name && programNode !== '';
}

let known: Promise<{ readonly name: string; readonly data: Uint8Array }> | undefined;

function bundle(): Promise<{ readonly name: string; readonly data: Uint8Array }> {
  known ??= readFile(installed('dist/onhost.js')).then(
    (data) => ({ name: `onhost-${createHash('sha256').update(data).digest('hex').slice(0, 16)}.cjs`, data }),
    (cause: unknown) => {
      throw new Failure('usage', 'onhost.js, which runs on hosts, is not built.', {
        next: "Run npm ci once in pipeline's folder.",
        cause,
      });
    },
  );
  return known;
}

/**
 * The one that runs it already, else one that is there or comes anyway, else the newest LTS.
 */
async function chooseNode(facts: ProgramFacts, wish: string | null, context: Context): Promise<string> {
  if (facts.programNode !== '') return facts.programNode;
  const there = [...facts.nodes, ...facts.agentNodes].find(isNewEnough);
  if (there !== undefined) return there;
  if (wish !== null && isNewEnough(wish)) return wish;
  const any = { range: `>=${OLDEST_NODE}`, preferLts: true, from: 'default' };
  return resolveNode('the program on hosts', any, context);
}

function isNewEnough(version: string): boolean {
  return Number(version.split('.', 1)[0]) >= OLDEST_NODE;
}

/** @returns the archive's path on the host; empty: it has that version. */
async function sendNode(
  connection: Connection,
  { nodes, agentNodes, architecture }: ProgramFacts,
  version: string,
  context: Context,
): Promise<string> {
  if (nodes.has(version) || agentNodes.has(version)) return '';
  const path = await nodeArchive({ version, architecture }, context);
  const to = `${INCOMING}/node-${version}.tgz`;
  await connection.upload({ path }, to, { mode: '0600', signal: context.signal });
  return to;
}
