/** Facts and connections for tests of the operator's side: no host is needed. */
import type { Manifest } from '../../src/contract/manifest.ts';
import type { AppFacts, KeptRelease, ReleaseState } from '../../src/release/look/facts.ts';
import type { Connection, RunOptions, RunResult } from '../../src/ssh/connection.ts';

export function kept(
  release: string,
  state: ReleaseState = 'live',
  more: Partial<Manifest> = {},
): KeptRelease {
  const manifest: Manifest = {
    app: 'app',
    release,
    commit: `${release}${'0'.repeat(40)}`.slice(0, 40),
    ref: 'main',
    subject: `Say ${release}`,
    at: '2026-11-23T00:00:00.000Z',
    by: 'me',
    artifact: 'x',
    tree: 'x',
    runtime: 'node',
    node: '20.0.0',
    start: 'node a',
    directory: '',
    instances: 1,
    portVariable: 'PORT',
    fixedPort: null,
    memory: null,
    health: {
      method: 'GET',
      path: '/',
      headers: {},
      body: null,
      status: [],
      contains: null,
      within: 1,
      timeout: 1,
      consecutive: 1,
    },
    drain: 1,
    probation: 0,
    hooks: { beforeCutOver: null, afterDeploy: null },
    ...more,
  };
  return { manifest, state, digest: `digest of ${release}` };
}

/** A host on which release `one` serves in blue. */
export function facts(more: Partial<AppFacts> = {}): AppFacts {
  return {
    architecture: 'x64',
    prepared: 'x',
    missing: [],
    slot: 0,
    takenSlots: new Set(),
    live: 'blue',
    rollout: false,
    colours: { blue: 'one' },
    active: new Set(['pipeline-app@blue.service']),
    unwell: new Set(),
    timers: new Set(),
    releases: [kept('one')],
    program: '',
    programNode: '',
    nodes: new Set(),
    agentNodes: new Set(),
    incoming: new Set(),
    site: 'another',
    ...more,
  };
}

/** What a host was asked, in the order of all hosts that share the list. */
export interface Asked {
  readonly host: string;
  readonly script: string;
  readonly options: RunOptions;
}

/** A connection that records each script and lets `answer` say what came of it. */
export function recorded(
  host: string,
  asked: Asked[],
  answer: (
    one: Asked,
  ) => { readonly exitCode?: number; readonly lines?: readonly string[]; readonly stdout?: string } | Error,
): Connection {
  const unexpected = () => {
    throw new Error('only scripts are expected');
  };
  const script = async (text: string, options: RunOptions): Promise<RunResult> => {
    const one = { host, script: text, options };
    asked.push(one);
    const result = answer(one);
    if (result instanceof Error) throw result;
    for (const line of result.lines ?? []) options.onStdout?.(line);
    return { exitCode: result.exitCode ?? 0, stdout: result.stdout ?? '', stderr: '' };
  };
  return {
    target: { name: host, address: host, port: 22, user: 'root' },
    script,
    check: async (text, options) => (await script(text, options)).stdout,
    upload: unexpected,
    tunnel: unexpected,
    sshArguments: unexpected,
    close: async () => {},
  };
}
