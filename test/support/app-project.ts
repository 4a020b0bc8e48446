/** A project with one host for applications of any language, whose repositories a test writes. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type LoadResult, startLoad } from './load.ts';
import { type Ended, projectFolder, run } from './program.ts';

const IDENTITY = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];

export interface AppProject {
  readonly path: string;
  /** A command of the program, in the project's folder. */
  pipeline(...args: readonly string[]): Promise<Ended>;
  /** What a script prints on the host. @throws where it fails */
  on(script: string): Promise<string>;
  /** Writes files of a repository. */
  write(app: string, files: Readonly<Record<string, string>>): void;
  /** The same, and commits all. */
  commit(app: string, files: Readonly<Record<string, string>>): void;
  ask(port: number, path?: string): Promise<string>;
  /** Visitors ask `port` while `work` is done. */
  during(port: number, work: () => Promise<unknown>, rate?: number): Promise<LoadResult>;
  remove(): Promise<void>;
}

/** @param apps YAML below `apps:` */
export function appProject(
  apps: string,
  { roles = ['nginx'], memory = '1G' }: { readonly roles?: readonly string[]; readonly memory?: string } = {},
): AppProject {
  const name = `apps-${Math.random().toString(36).slice(2, 8)}`;
  const host = `hosts: { web: { roles: [${roles.join(', ')}], memory: ${memory} } }`;
  const { path, remove } = projectFolder(`project: ${name}\nprovider: local\n${host}\napps:\n${apps}`);
  const pipeline = (...args: readonly string[]) => run(args, { cwd: path });
  const url = (port: number, at = '/') => {
    const address = /ansible_host=(\S+)/.exec(readFileSync(join(path, 'inventory.ini'), 'utf8'))?.[1];
    return `http://${address}:${port}${at}`;
  };
  const write = (app: string, files: Readonly<Record<string, string>>) => {
    const at = join(path, app);
    mkdirSync(at, { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(at, file)), { recursive: true });
      writeFileSync(join(at, file), text);
    }
  };
  return {
    path,
    pipeline,
    remove,
    async on(script) {
      const ended = await pipeline('prod', 'ssh', 'web', '--', script);
      if (ended.exitCode !== 0) throw new Error(`${script}: ${ended.stdout}${ended.stderr}`);
      return ended.stdout;
    },
    write,
    commit(app, files) {
      const at = join(path, app);
      write(app, files);
      const git = (...args: readonly string[]) => execFileSync('git', [...IDENTITY, ...args], { cwd: at });
      if (!existsSync(join(at, '.git'))) git('init', '--quiet', '--template=', '--initial-branch=main');
      git('add', '--all');
      git('commit', '--quiet', '--message', 'Change');
    },
    ask: async (port, at) => (await fetch(url(port, at))).text(),
    async during(port, work, rate = 100) {
      const load = startLoad({ url: url(port), rate, keepAlive: true });
      await work();
      return load.stop();
    },
  };
}
