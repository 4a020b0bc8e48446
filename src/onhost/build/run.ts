/**
 * Builds of others' code on the host: as a user who may write nothing but the folder of the build, without
 * the application's secrets. What it leaves belongs to root.
 */
import { BUILD_USER } from '../../contract/places.ts';
import { BUILD_SECONDS } from '../../contract/release.ts';
import { hookUnit } from '../hooks.ts';
import { failed, type Scene, sayer } from '../scene.ts';

export interface HostBuild {
  /** What people see while it says nothing yet. */
  readonly what: string;
  /** Shell command. */
  readonly command: string;
  /** It may write here. */
  readonly folder: string;
  /** Where the command starts: `folder`, or below it. */
  readonly directory: string;
  /** Folders with programs, before the host's. */
  readonly tools: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** pip's files for the whole host and for root, who may hold passwords that others may not read. */
const PIP_FILES = ['/etc/pip.conf', '/root/.config/pip/pip.conf', '/root/.pip/pip.conf'] as const;

/**
 * Runs it to its end.
 * @throws Failure with step `place` and the last lines that it printed
 */
export async function buildOnHost(scene: Scene, build: HostBuild): Promise<void> {
  const { host, root, placed } = scene;
  const { folder, directory } = build;
  const { app } = placed.manifest;
  const home = `${root}/.build`;
  const say = sayer(scene.tell, 'place');
  say.running(build.what);
  await addBuildUser(scene);
  await host.remove(home);
  await host.makeFolder(home, 0o700);
  try {
    await writeSettings(scene, home, build.env);
    await own(scene, BUILD_USER, home, folder);
    const said: string[] = [];
    const unit = hookUnit(app);
    await host.stop(unit);
    const began = host.now();
    const code = await host.hook(
      {
        unit,
        command: build.command,
        user: BUILD_USER,
        directory,
        environmentFile: `${home}/env`,
        path: [...build.tools, '/usr/local/bin:/usr/bin:/bin'].join(':'),
        variables: [],
        state: BUILD_USER,
        seconds: BUILD_SECONDS,
      },
      (line) => {
        if (line !== undefined && line.trim() !== '') {
          said.push(line);
          if (said.length > 25) said.shift();
        }
        say.running(said.at(-1) ?? build.what);
      },
    );
    if (code !== 0) {
      const late = host.now() - began >= BUILD_SECONDS * 1000;
      const why = late ? `did not end within ${BUILD_SECONDS / 60} min` : `ended with exit code ${code}`;
      throw failed('place', `${build.what} ${why}`, said);
    }
    await own(scene, 'root', folder);
    // No file of it runs as somebody else, and everybody may read it, the service's user among them.
    await must(scene, 'chmod', '-R', 'u+rwX,go+rX,go-w,ug-s', folder);
  } finally {
    await host.remove(home);
  }
}

async function addBuildUser({ host }: Scene): Promise<void> {
  if ((await host.run('id', '-u', BUILD_USER)).code === 0) return;
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const { code } = await host.run('useradd', ...args, '--shell', '/usr/sbin/nologin', BUILD_USER);
  if (code !== 0) throw failed('place', `cannot make the user ${BUILD_USER}`);
}

/** Bundler's, likewise: mirrors of registries, and passwords for them. */
const BUNDLER_FILE = '/root/.bundle/config';

/** Its home: the host's proxies, pip's and Bundler's settings, and an environment that points there. */
async function writeSettings(
  { host }: Scene,
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const [global, ...users] = await Promise.all(PIP_FILES.map((path) => host.read(path)));
  const user = users.find((text) => text !== undefined);
  await host.write(`${home}/.config/pip/pip.conf`, global ?? '', 0o600);
  await host.write(`${home}/pip.conf`, user ?? '', 0o600);
  await host.write(`${home}/bundle/config`, (await host.read(BUNDLER_FILE)) ?? '', 0o600);
  const own = { HOME: home, TMPDIR: home, PIP_CONFIG_FILE: `${home}/pip.conf`, LC_ALL: 'C.UTF-8', ...env };
  const lines = Object.entries({ ...own, CI: 'true', NO_COLOR: '1' }).map(
    ([key, value]) => `${key}="${value}"\n`,
  );
  const proxies = ((await host.read('/etc/environment')) ?? '')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => `${line}\n`);
  await host.write(`${home}/env`, [...proxies, ...lines].join(''), 0o600);
}

/** Links are never followed: they may lead anywhere. */
async function own(scene: Scene, user: string, ...folders: readonly string[]): Promise<void> {
  await must(scene, 'chown', '--recursive', '--no-dereference', `${user}:${user}`, ...folders);
}

async function must({ host }: Scene, program: string, ...args: readonly string[]): Promise<void> {
  const { code, said } = await host.run(program, ...args);
  if (code !== 0) throw failed('place', said.trim().split('\n').slice(-3).join(' ') || `${program} failed`);
}
