/** Repositories of pnpm and yarn, built by themselves. Needs no hosts, but npm's registry. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildArtifact } from '../../src/build/build.ts';
import { managerForBuilds } from '../../src/build/node-runtime.ts';
import { managerEnvironment } from '../../src/build/package-manager.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { CACHE } from '../support/releases.ts';

/** `ms` is needed to build, `semver` to serve, and `lib` is a package of the same repository. */
const root = (manager: string) => ({
  name: 'shop',
  version: '1.0.0',
  private: true,
  packageManager: manager,
  workspaces: ['packages/*'],
});
const api = (lib: string) => ({
  name: 'api',
  version: '1.0.0',
  scripts: {
    build: "node -e \"require('fs').writeFileSync('built.txt', String(require('ms')('2s')))\"",
    start: 'node server.js',
  },
  dependencies: { semver: '7.6.0', lib },
  devDependencies: { ms: '2.1.3' },
});
const SERVER = `const has = (name) => { try { require(name); return true; } catch { return false; } };
const built = require('fs').readFileSync('built.txt', 'utf8');
console.log(require('semver').major('3.2.1'), require('lib'), has('ms'), built);`;

describe('a repository with a lock file of', () => {
  let folder: string;
  let context: Context;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-managers-'));
    context = quietContext({ cwd: folder, env: { ...process.env, XDG_CACHE_HOME: CACHE } });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['pnpm', '9.15.0', 'workspace:*', ['install', '--lockfile-only']],
    ['pnpm', '8.15.9', 'workspace:*', ['install', '--lockfile-only']],
    ['yarn', '1.22.22', '1.0.0', ['install', '--ignore-scripts']],
    ['yarn', '3.8.7', 'workspace:*', ['install', '--mode=update-lockfile']],
    ['yarn', '4.5.3', 'workspace:*', ['install', '--mode=update-lockfile']],
  ] as const)('%s %s is built by it', async (name, version, lib, lock) => {
    const origin = join(folder, `${name}-${version}`);
    const write = (path: string, content: string | object) => {
      mkdirSync(join(origin, path, '..'), { recursive: true });
      writeFileSync(join(origin, path), typeof content === 'string' ? content : JSON.stringify(content));
    };
    write('package.json', root(`${name}@${version}`));
    write('pnpm-workspace.yaml', "packages: ['packages/*']\n");
    write('.gitignore', 'node_modules\n.yarn\n');
    write('packages/api/package.json', api(lib));
    write('packages/api/server.js', SERVER);
    write('packages/lib/package.json', { name: 'lib', version: '1.0.0', main: 'index.js' });
    write('packages/lib/index.js', "module.exports = 'lib';\n");
    const bin = await managerForBuilds(name, version, context);
    const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
    execFileSync(join(bin, name), lock, {
      cwd: origin,
      env: { ...process.env, ...managerEnvironment(registry) },
      stdio: 'pipe',
    });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], { cwd: origin });
    git('init', '-q', '-b', 'main');
    git('add', '--all');
    git('commit', '-q', '-m', 'Shop');
    const config = {
      ...configSchema.parse({
        project: 'shop',
        hosts: { web: {} },
        apps: { api: { source: origin, directory: 'packages/api', hosts: ['web'], node: '20' } },
      }),
      path: join(folder, 'pipeline.yml'),
      directory: folder,
    };
    const artifact = await buildArtifact(config, 'api', undefined, context, { fresh: true });
    const release = join(folder, `release-${name}-${version}`);
    mkdirSync(release);
    execFileSync('tar', ['-xzf', artifact.path, '-C', release]);
    const served = execFileSync(process.execPath, ['server.js'], {
      cwd: join(release, 'packages', 'api'),
      encoding: 'utf8',
    });
    expect(served).toBe('3 lib false 2000\n');

    // Another commit with the same lock file takes them as they were, and leaves the same.
    write('packages/lib/index.js', "module.exports = 'changed';\n");
    git('commit', '-q', '--all', '-m', 'Change');
    const said: string[] = [];
    const again = await buildArtifact(config, 'api', undefined, {
      ...context,
      progress: ({ detail }) => said.push(detail ?? ''),
    });
    expect(said).toContain('dependencies of the same lock file');
    expect(said.filter((line) => line.startsWith(`${name} install: `) && line.includes('added'))).toEqual([]);
    const files = (path: string) => execFileSync('tar', ['-tzf', path], { encoding: 'utf8' });
    expect(files(again.path).split('\n').sort()).toEqual(files(artifact.path).split('\n').sort());
  });
});
