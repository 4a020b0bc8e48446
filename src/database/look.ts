/** What the host of a database says of it: one script. */
import type { Context } from '../context.ts';
import { databaseScript } from './engine.ts';
import look from './look.sh' with { type: 'text' };
import type { DebianArchitecture } from './program.ts';
import { runOnDatabaseHost } from './run.ts';
import type { ScriptInput } from './servers.ts';

export interface DatabaseFacts {
  readonly server: 'up' | 'absent' | 'down';
  /** Why it is down. */
  readonly reason: string;
  /** The application's user: made by pipeline, by somebody else, or not there. */
  readonly user: 'made' | 'foreign' | 'none';
  /** It signs in with the password that the application has. */
  readonly signsIn: boolean;
  /** Server and user are set up as wanted. */
  readonly current: boolean;
  /** Tables or collections. */
  readonly count: number;
  /** `begun`: what filled it was ended in the middle. */
  readonly seed: 'none' | 'begun' | 'done';
  /** Debian's word. */
  readonly architecture: DebianArchitecture;
}

/** Where backups lie, in a folder for each database of each application. */
export const BACKUPS = '/var/lib/pipeline/backups';

function parseFacts(lines: readonly string[]): DatabaseFacts {
  const find = (key: string) =>
    lines.find((line) => line === key || line.startsWith(`${key} `))?.slice(key.length + 1);
  const [server = '', ...reason] = (find('server') ?? 'down it does not say how it is').split(' ');
  const user = find('user');
  const seed = find('seed');
  return {
    server: server === 'up' || server === 'absent' ? server : 'down',
    reason: reason.join(' ').trim(),
    user: user === 'made' || user === 'foreign' ? user : 'none',
    signsIn: find('signs') !== undefined,
    current: find('current') !== undefined,
    count: Number(find('count') ?? 0) || 0,
    seed: seed === 'begun' || seed === 'done' ? seed : 'none',
    architecture: find('machine') === 'aarch64' ? 'arm64' : 'amd64',
  };
}

/** @throws Failure kind `host` where the host does not answer */
export async function lookAtDatabase(input: ScriptInput, context: Context): Promise<DatabaseFacts> {
  const run = {
    script: databaseScript(input, look),
    secrets: [input.password],
    doing: 'the look',
    next: 'The whole output: the same command with --verbose.',
  };
  return parseFacts(await runOnDatabaseHost(input.database, run, context));
}
