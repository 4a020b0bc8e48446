/** Runs a script about a database on its host: its reports become progress, its failure a sentence. */
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redact.ts';
import type { AppDatabase } from './servers.ts';

/** What progress and failures call it, e.g. `database orders`. */
export function stageOf({ key }: Pick<AppDatabase, 'key'>): string {
  return `database ${key}`;
}

export interface DatabaseRun {
  readonly script: string;
  /** Values to hide. */
  readonly secrets: readonly string[];
  readonly timeoutMs?: number | undefined;
  /** Begins the failure's sentence, e.g. `backup`. */
  readonly doing: string;
  /** What the user should do where it fails. */
  readonly next: string;
}

/**
 * What it printed besides reports (`@@ done …`, `@@ failed …`).
 * @throws Failure kind `host` with what the script gave as its reason, or the last lines of what it printed
 */
export async function runOnDatabaseHost(
  database: AppDatabase,
  run: DatabaseRun,
  context: Context,
): Promise<readonly string[]> {
  const { host } = database;
  const stage = stageOf(database);
  const hide = redactor(run.secrets);
  const lines: string[] = [];
  let failed: string | undefined;
  const { exitCode, stderr } = await host.connection.script(run.script, {
    label: `${stage}: ${run.doing}`,
    signal: context.signal,
    secrets: run.secrets,
    timeoutMs: run.timeoutMs,
    onStdout: (line) => {
      const [, kind, detail = ''] = /^@@ (\w+) ?(.*)$/.exec(line) ?? [];
      if (kind === 'failed') failed = hide(detail);
      else if (kind === 'done') context.progress({ host: host.name, stage, state: 'running', detail });
      else lines.push(line);
    },
  });
  if (exitCode === 0) return lines;
  context.progress({ host: host.name, stage, state: 'failed', detail: failed });
  const said = hide(stderr)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const reason = failed ?? said.at(-1) ?? `exit ${exitCode}`;
  throw new Failure(
    'host',
    `${host.name}: ${run.doing} of the database ${database.definition.name} failed: ${reason}`,
    { host: host.name, step: stage, output: said.slice(-10), next: run.next },
  );
}
