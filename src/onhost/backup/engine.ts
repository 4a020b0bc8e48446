/** What a database engine is to backups: out as a stream, in beside what is there, and in its place. */
import { Failure } from '../../errors.ts';
import type { BackupWorld, Command } from './world.ts';

/** A name beside the database's own; on FerretDB a folder. */
export type Beside = string;

export interface Engine {
  /** File of the dump in the storage. */
  readonly file: string;
  /** Where its data lies. */
  readonly folder: string;
  /** Whether there is a database with something in it. */
  holdsData(): Promise<boolean>;
  exists(beside: Beside): Promise<boolean>;
  /** Prints the database, consistent in itself, while it is used; absent: the database itself. */
  dump(beside?: Beside): Command;
  /** Makes an empty place; what was there under this name goes. */
  makeBeside(beside: Beside): Promise<void>;
  /** Fills it from standard input. */
  load(beside: Beside): Command;
  removeBeside(beside: Beside): Promise<void>;
  /** Whether dumps of the same data are the same bytes. */
  readonly exact: boolean;
  /** What is in it, for people, e.g. `3 tables, 120 rows`. */
  count(beside?: Beside): Promise<string>;
  /**
   * Puts what is beside in the place of the database, which nobody uses meanwhile. Killed at any moment, the
   * same call finishes it. `mark` keeps how far it is; `from` is where an earlier call was.
   */
  replace(beside: Beside, from: string, mark: (step: string) => Promise<void>): Promise<void>;
}

/** Runs a program that must succeed. @returns what it printed */
export async function must(world: BackupWorld, what: string, command: Command, input = ''): Promise<string> {
  const { code, out, err } = await world.run(command, { input });
  if (code === 0) return out;
  const said = err.trim().split('\n').slice(-3);
  throw new Failure('host', `${what}: ${said.at(-1) ?? `${command.program} ended with code ${code}`}`, {
    output: said,
  });
}
