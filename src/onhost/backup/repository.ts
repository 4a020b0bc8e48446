/** restic and its storage: opened, written, read. */
import * as z from 'zod';
import { type BackupItem, type BackupPlan, itemName, type Snapshot } from '../../contract/backup.ts';
import { BACKUP_CREDENTIALS, BACKUP_PASSWORD, BACKUP_STATE } from '../../contract/backup-paths.ts';
import { Failure } from '../../errors.ts';
import { type BackupWorld, type Command, lastLine, type Ran } from './world.ts';

/** Which repository this host has used, so that an empty folder is not taken for it. */
const MARK = `${BACKUP_STATE}/repository.json`;
const CACHE = `${BACKUP_STATE}/cache`;
const ANSWER_MS = 120_000;
/** Another host tidies up for some minutes at most. */
const LOCK_TRIES = 40;
const LOCK_PAUSE_MS = 15_000;
/** The host that makes the storage does so with its first backup. */
const MADE_TRIES = 20;
const MADE_PAUSE_MS = 3_000;
/** Whatever is backed up again is not stored again where it is there already, damaged or not. */
export const DAMAGED =
  'New backups build on what is there: mend the storage as docs/backups.md says under "A damaged storage", ' +
  'or give backups.to another path and run: pipeline prod up';
const TAG = 'pipeline';
const BEFORE = 'before';

const marked = z.object({ repository: z.string(), id: z.string() });
const exclusive = z.object({ exclusive: z.literal(true) });
const measured = z.object({ total_size: z.number() });
const configured = z.object({ id: z.string() });
const summary = z.object({
  message_type: z.literal('summary'),
  snapshot_id: z.string(),
  total_bytes_processed: z.number(),
});
const listed = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    hostname: z.string(),
    tags: z.array(z.string()).nullish(),
  }),
);

/** What was written. */
export interface Written {
  readonly snapshot: string;
  readonly bytes: number;
}

interface Looked {
  readonly id: string | undefined;
  readonly ran: Ran;
}

export class Repository {
  readonly #world: BackupWorld;
  readonly #plan: BackupPlan;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(world: BackupWorld, plan: BackupPlan, env: Readonly<Record<string, string>>) {
    this.#world = world;
    this.#plan = plan;
    this.#env = env;
  }

  /**
   * Made at the first use and never again: a storage that is empty later has lost it, or is another.
   * @throws Failure kind `host`: what the storage says
   */
  static async open(world: BackupWorld, plan: BackupPlan): Promise<Repository> {
    const { files } = world;
    const keys = (await files.read(BACKUP_CREDENTIALS))?.trim();
    const colon = keys?.indexOf(':') ?? -1;
    const s3 =
      keys === undefined || colon < 0
        ? {}
        : { AWS_ACCESS_KEY_ID: keys.slice(0, colon), AWS_SECRET_ACCESS_KEY: keys.slice(colon + 1) };
    const env = {
      RESTIC_REPOSITORY: plan.repository,
      RESTIC_PASSWORD_FILE: BACKUP_PASSWORD,
      RESTIC_CACHE_DIR: CACHE,
      // It stands beside what serves.
      GOMAXPROCS: '1',
      GOGC: '25',
      ...s3,
    };
    await files.makeFolder(BACKUP_STATE, 0o755);
    await files.makeFolder(CACHE, 0o700);
    const repository = new Repository(world, plan, env);
    await repository.#find();
    return repository;
  }

  async #find(): Promise<void> {
    const { files } = this.#world;
    const mark = marked.safeParse(parsed((await files.read(MARK)) ?? '')).data;
    const known = mark?.repository === this.#plan.repository ? mark.id : undefined;
    let looked = await this.#look();
    if (looked.id === undefined && known === undefined) {
      const { madeBy } = this.#plan;
      looked = await (madeBy === undefined ? this.#make() : this.#madeBy(madeBy));
    }
    if (looked.id === undefined) throw this.#failure('cannot be used', looked.ran);
    if (known !== undefined && looked.id !== known)
      throw new Failure('host', `${this.#plan.storage} holds other backups than those that this host made`, {
        next:
          'Put the right storage back. If it was replaced on purpose, give backups.to another path, ' +
          'then: pipeline prod up',
      });
    if (known === undefined) {
      const text = JSON.stringify({ repository: this.#plan.repository, id: looked.id });
      await files.write(MARK, `${text}\n`, 0o600);
    }
  }

  async #make(): Promise<Looked> {
    const made = await this.#run(['init'], ANSWER_MS);
    const looked = await this.#look();
    if (looked.id === undefined) throw this.#failure('cannot be made', made);
    return looked;
  }

  /** restic lets two hosts make one at once, each with a key of its own: it can be read by neither. */
  async #madeBy(host: string): Promise<Looked> {
    let looked = await this.#look();
    for (let tries = 0; looked.id === undefined && tries < MADE_TRIES; tries++) {
      await this.#world.sleep(MADE_PAUSE_MS);
      looked = await this.#look();
    }
    if (looked.id === undefined) throw this.#failure(`is not there, which ${host} makes`, looked.ran);
    return looked;
  }

  async #look(): Promise<Looked> {
    const ran = await this.#run(['cat', 'config', '--no-lock'], ANSWER_MS);
    const id = ran.code === 0 ? configured.safeParse(parsed(ran.out)).data?.id : undefined;
    return { id, ran };
  }

  #failure(what: string, ran: Pick<Ran, 'err'> & { readonly out?: string }): Failure {
    return new Failure('host', `the storage of backups, ${this.#plan.storage}, ${what}: ${lastLine(ran)}`, {
      output: ran.err.trim().split('\n').slice(-5),
      next: 'What is there stays as it is. See that it is there, has room, and lets this host in.',
    });
  }

  #command(args: readonly string[]): Command {
    const { sftp } = this.#plan;
    const how = sftp === null ? [] : ['-o', `sftp.command=${sftp.join(' ')}`];
    return { program: 'restic', args: [...how, ...args], env: this.#env };
  }

  #run(args: readonly string[], timeoutMs?: number): Promise<Ran> {
    return this.#world.run(this.#command(args), timeoutMs === undefined ? {} : { timeoutMs });
  }

  #labels(item: BackupItem, before: boolean): readonly string[] {
    const tags = [TAG, `item=${itemName(item)}`, ...(before ? [BEFORE] : [])];
    return ['--host', this.#plan.host, '--tag', tags.join(',')];
  }

  /**
   * What a program prints, with its seal.
   * @param stop as `BackupWorld.pipe` has it
   * @returns undefined where it was stopped
   * @throws Failure kind `host`; nothing of it is kept then
   */
  async writeStream(
    from: Command,
    file: string,
    item: BackupItem,
    {
      before = false,
      stop,
    }: { readonly before?: boolean; readonly stop?: (() => Promise<boolean>) | undefined },
  ): Promise<Written | undefined> {
    const labels = this.#labels(item, before);
    const to = this.#command(['backup', '--json', ...labels, '--stdin', '--stdin-filename', file]);
    const piped = await this.#patiently(
      () => this.#world.pipe(from, to, 'seal', stop),
      (one) => one.stopped || (one.from.code === 0 && one.to.code === 0),
    );
    if (piped.stopped) return undefined;
    const { from: source, to: sink, bytes } = piped;
    if (sink.code !== 0 && (source.code === 0 || sink.err.trim() !== ''))
      throw this.#failure('did not take the backup', sink);
    if (source.code !== 0) throw new Failure('host', `${from.program} failed: ${lastLine(source)}`);
    return { ...this.#written(sink), bytes };
  }

  /** Folders and files, with owners and rights. @throws Failure kind `host` */
  async writePaths(paths: readonly string[], item: BackupItem, before = false): Promise<Written> {
    const labels = this.#labels(item, before);
    const ran = await this.#patiently(
      () => this.#run(['backup', '--json', ...labels, '--', ...paths]),
      ({ code }) => code === 0,
    );
    // 3: some files could not be read; what is kept is not all of it.
    if (ran.code !== 0) throw this.#failure('did not take the backup', ran);
    return this.#written(ran);
  }

  /** Again, as long as another host tidies up: nobody else writes meanwhile. */
  async #patiently<T>(work: () => Promise<T>, isGood: (result: T) => boolean): Promise<T> {
    for (let tries = 1; ; tries++) {
      const result = await work();
      if (isGood(result) || tries === LOCK_TRIES || !(await this.#isTidied())) return result;
      await this.#world.sleep(LOCK_PAUSE_MS);
      await this.#run(['unlock'], ANSWER_MS);
    }
  }

  /** Whether somebody holds the storage for himself alone. */
  async #isTidied(): Promise<boolean> {
    const { code, out } = await this.#run(['list', 'locks', '--no-lock'], ANSWER_MS);
    if (code !== 0) return false;
    const ids = out.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line));
    const locks = await Promise.all(ids.map((id) => this.#run(['cat', 'lock', id, '--no-lock'], ANSWER_MS)));
    return locks.some((one) => exclusive.safeParse(parsed(one.out)).success);
  }

  /** Bytes that a snapshot has when it is restored. @throws Failure kind `host` */
  async size(snapshot: string): Promise<number> {
    const ran = await this.#run(['stats', '--json', '--no-lock', '--mode', 'restore-size', snapshot]);
    const found = ran.code === 0 ? measured.safeParse(parsed(ran.out)).data : undefined;
    if (found === undefined) throw this.#failure('cannot be read', ran);
    return found.total_size;
  }

  #written(ran: Ran): Written {
    const lines = ran.out.split('\n').map((line) => summary.safeParse(parsed(line)).data);
    const last = lines.findLast((one) => one !== undefined);
    if (last === undefined) throw this.#failure('does not say that it took the backup', ran);
    return { snapshot: last.snapshot_id, bytes: last.total_bytes_processed };
  }

  /** Newest first, of all hosts that back up here. @throws Failure kind `host` */
  async snapshots(): Promise<readonly Snapshot[]> {
    const ran = await this.#run(['snapshots', '--json', '--no-lock', '--tag', TAG], ANSWER_MS);
    const found = ran.code === 0 ? listed.safeParse(parsed(ran.out)).data : undefined;
    if (found === undefined) throw this.#failure('cannot be read', ran);
    return found
      .flatMap(({ id, time, hostname, tags }): Snapshot[] => {
        const item = tags?.find((tag) => tag.startsWith('item='))?.slice(5);
        const before = tags?.includes(BEFORE) ?? false;
        return item === undefined ? [] : [{ id, host: hostname, item, at: Date.parse(time), before }];
      })
      .sort((a, b) => b.at - a.at);
  }

  /** Prints the file of a snapshot that `writeStream` made. */
  dump(snapshot: string, file: string): Command {
    return this.#command(['dump', '--no-lock', snapshot, `/${file}`]);
  }

  /**
   * Restores a snapshot's paths below a folder, and reads back what was written. @throws Failure kind `host`
   */
  async restore(snapshot: string, folder: string): Promise<void> {
    const ran = await this.#run(['restore', snapshot, '--target', folder, '--verify']);
    if (ran.code !== 0) throw this.#failure('did not give the backup back', ran);
  }

  /** Whether what is stored fits together, and a part of it is what it was. @returns why not */
  async damage(): Promise<Failure | undefined> {
    const ran = await this.#run(['check', '--no-lock', '--read-data-subset=2%']);
    if (ran.code === 0) return undefined;
    const { message, output } = this.#failure('is damaged', ran);
    return new Failure('host', message, { output, next: DAMAGED });
  }

  /** Removes what is too old of this host's. @returns why not; empty: done */
  async prune(): Promise<string> {
    const { host, keep } = this.#plan;
    await this.#run(['unlock'], ANSWER_MS);
    const kept = ['--keep-last', '2', '--keep-daily', `${keep.daily}`, '--keep-weekly', `${keep.weekly}`];
    const of = ['--host', host, '--tag', TAG, '--group-by', 'host,tags'];
    const ran = await this.#run(['forget', '--prune', ...of, ...kept]);
    return ran.code === 0 ? '' : lastLine(ran);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
