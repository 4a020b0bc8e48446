/**
 * What a build costs whose lock file is the one of before, beside one that installs everything again, as
 * every build did until then. A repository with about 500 packages (Next, Nest, Jest, ESLint, webpack), a
 * new commit for each build, npm's own cache warm for both, by turns.
 *
 *   node bench/run.mjs dependencies [--rounds 5] [--before PATH]
 *
 * `--before` names a checkout of an earlier version, built (`npm run build`), which takes its turns, too.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, before: { type: 'string' } },
});
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'pipeline-bench-dependencies-'));
const repository = join(folder, 'repository');
const cache = join(folder, 'cache');

const MANIFEST = {
  name: 'large',
  version: '1.0.0',
  private: true,
  scripts: { build: 'node build.js', start: 'node server.js' },
  dependencies: {
    '@nestjs/common': '^11',
    '@nestjs/core': '^11',
    '@nestjs/platform-express': '^11',
    next: '^15',
    react: '^19',
    'react-dom': '^19',
    'reflect-metadata': '^0.2',
    rxjs: '^7',
  },
  devDependencies: { eslint: '^9', jest: '^29', typescript: '^5', webpack: '^5' },
};

function git(...args: readonly string[]): void {
  const who = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org'];
  execFileSync('git', [...who, ...args], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] });
}

function commit(version: number): void {
  writeFileSync(join(repository, 'server.js'), `// version ${version}\n`);
  git('add', '--all');
  git('commit', '--quiet', '--message', `Version ${version}`);
}

/** Seconds of `pipeline build`, program start included. */
async function build(program: string): Promise<number> {
  const env = { XDG_CACHE_HOME: cache };
  const started = performance.now();
  await execa('node', [join(program, 'bin/pipeline'), 'build', 'large'], { cwd: folder, env });
  return (performance.now() - started) / 1000;
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  execFileSync('git', ['init', '--quiet', '--template=', '--initial-branch=main', repository]);
  writeFileSync(join(repository, 'package.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(repository, 'build.js'), 'require("typescript");\n');
  execFileSync('npm', ['install', '--package-lock-only', '--silent'], { cwd: repository });
  const lock = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  const packages = lock.match(/^ {4}"node_modules\//gm)?.length ?? 0;
  writeFileSync(
    join(folder, 'pipeline.yml'),
    'project: bench\nprovider: local\nhosts: { web: { roles: [nginx] } }\n' +
      'apps: { large: { source: repository, hosts: [web] } }\n',
  );
  const own = resolve(import.meta.dirname, '../..');
  const again = async () => {
    rmSync(join(cache, 'pipeline/dependencies'), { recursive: true, force: true });
    return build(own);
  };
  const ways = new Map<string, () => Promise<number>>([
    ['installed again', again],
    ['reused', () => build(own)],
  ]);
  const { before } = values;
  if (before !== undefined) ways.set('version of before', () => build(resolve(before)));
  const seconds = new Map([...ways.keys()].map((name) => [name, [] as number[]]));
  let version = 0;
  // Node, npm and npm's cache are there for all.
  commit(version++);
  await again();
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of ways) {
      commit(version++);
      seconds.get(name)?.push(await way());
    }
  }
  console.log(`${packages} packages, ${rounds} rounds, seconds (median):`);
  for (const [name, all] of seconds) {
    const ratio = median(all) / median(seconds.get('reused') ?? []);
    const each = all.map((one) => one.toFixed(1)).join(' ');
    console.log(`${name.padEnd(18)} ${median(all).toFixed(1)}  × ${ratio.toFixed(2)}   (${each})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
