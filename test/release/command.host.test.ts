/**
 * Applications of any language: docs/deploy-command.md as it is written, and what its services meet after.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import { type Ended, run } from '../support/program.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const [flaskPage = '', goPage = ''] = Array.from(
  readFileSync(join(ROOT, 'docs/deploy-command.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm),
  ([, block]) => block,
);

/** Why PyPI's packages cannot be had; the host is handed the same way there. */
function noPackages(): string | undefined {
  const to = mkdtempSync(join(tmpdir(), 'pipeline-pip-'));
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', to, 'itsdangerous==2.2.0'];
  const tried = spawnSync('python3', args, { timeout: 60_000 });
  rmSync(to, { recursive: true });
  if (tried.status === 0) return undefined;
  return (
    'pip here reaches no registry with Flask: give it one (pip config set global.index-url), and ' +
    'pip itself'
  );
}

const unavailable = hostsUnavailable();
const pythonMissing = unavailable ?? noPackages();
const goMissing =
  spawnSync('go', ['version']).status === 0 ? undefined : 'no Go here: apt-get install golang-go';
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
};

describe.skipIf(unavailable !== undefined)(`any language on a real host (${unavailable ?? 'local'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-command-'));
  const demo = join(folder, 'demo');
  const env = { ...process.env, ...IDENTITY, PATH: `${folder}/bin:${process.env.PATH}` };
  /** A project of this test's own, since there may be others here called demo. */
  const project = `demo-${Math.random().toString(36).slice(2, 8)}`;

  /** A block of the page, as a reader would paste it. */
  function paste(block: string, cwd: string): string {
    const text = block.replace('project: demo', `project: ${project}`);
    return execFileSync('bash', ['-e', '-o', 'pipefail'], { cwd, env, input: text, encoding: 'utf8' });
  }
  const pipeline = (...args: string[]): Promise<Ended> => run(args, { cwd: demo });
  const on = async (script: string) => (await pipeline('prod', 'ssh', 'web', '--', script)).stdout.trim();
  const address = () => /ansible_host=(\S+)/.exec(readFileSync(join(demo, 'inventory.ini'), 'utf8'))?.[1];
  const ask = async (port = 80) => (await fetch(`http://${address()}:${port}/`)).text();
  const commit = (app: string, message: string) =>
    execFileSync('git', ['commit', '--quiet', '--all', '--message', message], { cwd: join(demo, app), env });
  function change(app: string, file: string, from: string, to: string): void {
    const path = join(demo, app, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
    writeFileSync(path, text.replace(from, to));
    commit(app, to);
  }
  async function during(work: () => Promise<void>, port = 80): Promise<LoadResult> {
    const load = startLoad({ url: `http://${address()}:${port}/`, rate: 100, keepAlive: true });
    await work();
    return load.stop();
  }
  /** One more application in pipeline.yml, with a repository of its own. */
  function add(app: string, yaml: string, files: Record<string, string>): void {
    const at = join(demo, app);
    mkdirSync(at);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(at, path), text);
    execFileSync('git', ['init', '--quiet', '--template=', '--initial-branch=main'], { cwd: at });
    execFileSync('git', ['add', '--all'], { cwd: at });
    commit(app, 'First');
    const config = join(demo, 'pipeline.yml');
    const more = `  ${app}:\n    source: ${app}\n    hosts: [web]\n${yaml}`;
    writeFileSync(config, readFileSync(config, 'utf8') + more);
  }

  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/pipeline'), `#!/bin/sh\nexec node ${ROOT}/bin/pipeline "$@"\n`);
    chmodSync(join(folder, 'bin/pipeline'), 0o755);
    if (pythonMissing !== undefined) {
      // The host alone, for those that need no Flask.
      paste(flaskPage.replace('pipeline deploy greeter', 'exit 0'), folder);
    }
  });
  afterAll(async () => {
    const ended = await pipeline('prod', 'destroy', '--yes', '--wait');
    if (ended.exitCode !== 0) throw new Error(`destroy failed: ${ended.stdout}${ended.stderr}`);
    rmSync(folder, { recursive: true, force: true });
  });

  it.skipIf(pythonMissing !== undefined)(`Flask, as its page says (${pythonMissing ?? 'PyPI'})`, async () => {
    expect(paste(flaskPage, folder)).toMatch(/Hello from Flask\n$/);
    expect(await ask()).toBe('Hello from Flask\n');
    const owner = await on(
      'ps -o user:32= -C gunicorn | sort -u; stat -Lc "%U %a" /srv/greeter/blue/dependencies',
    );
    expect(owner).toBe('app-greeter\nroot 755');
  });

  it.skipIf(pythonMissing !== undefined)(
    'a second version with the same lock file reuses the environment, and drops no request',
    async () => {
      const inode = () =>
        on('ls -di /srv/greeter/dependencies/*/bin/python -L; ls -di /srv/greeter/dependencies/*');
      const before = await inode();
      change('greeter', 'app.py', 'from Flask', 'again');
      const deployed: Ended[] = [];
      const load = await during(async () => {
        deployed.push(await pipeline('deploy', 'greeter'));
        // One that cannot start leaves the first serving.
        change('greeter', 'app.py', 'again', '{missing');
        change('greeter', 'app.py', '@app', 'raise SystemExit("out of luck")\n\n@app');
        deployed.push(await pipeline('deploy', 'greeter'));
        deployed.push(await pipeline('rollback', 'greeter'));
      });
      const [second, failing, back] = deployed;
      expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('dependencies reused') });
      expect(await inode()).toBe(before);
      expect(failing).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('out of luck') });
      expect(back?.exitCode).toBe(0);
      expect(await ask()).toBe('Hello from Flask\n');
      expect(load.others).toEqual({});
      expect(load.ok).toBe(load.sent);
    },
  );

  it.skipIf(pythonMissing !== undefined)(
    'a dependency that there is not: exit 3 in pip’s words',
    async () => {
      writeFileSync(join(demo, 'greeter/requirements.txt'), 'flask==3.1.2\ngunicorn==99.9.9\n');
      commit('greeter', 'Ask for too much');
      const failed = await pipeline('deploy', 'greeter');
      expect(failed.exitCode).toBe(3);
      expect(failed.stdout).toContain('No matching distribution found for gunicorn==99.9.9');
      expect(await ask()).toBe('Hello from Flask\n');
    },
  );

  it.skipIf(goMissing !== undefined)(`Go, as its page says (${goMissing ?? 'here'}), no drop`, async () => {
    expect(paste(goPage, demo)).toMatch(/Hello from Go\n$/);
    change('hello', 'main.go', 'from Go', 'again');
    const deployed: Ended[] = [];
    const load = await during(async () => {
      deployed.push(await pipeline('deploy', 'hello'));
      change('hello', 'main.go', 'http.HandleFunc', 'log.Fatal("out of luck")\n\thttp.HandleFunc');
      deployed.push(await pipeline('deploy', 'hello'));
      deployed.push(await pipeline('rollback', 'hello'));
    }, 8080);
    expect(deployed.map(({ exitCode }) => exitCode)).toEqual([0, 3, 0]);
    expect(deployed[1]?.stdout).toContain('out of luck');
    expect(await ask(8080)).toBe('Hello from Go\n');
    expect(load.others).toEqual({});
    change('hello', 'main.go', 'package main', 'package');
    const broken = await pipeline('deploy', 'hello');
    expect(broken).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('main.go:') });
  });

  const server = (text: string) => `#!/usr/bin/python3
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(${text})
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
`;

  it('a build on the host: packages are there, secrets are not, and once for a commit', async () => {
    add(
      'native',
      `    runtime: command
    packages: [python3, bc]
    build_on: host
    build: (id -un; echo "6*7" | bc; echo "\${TOKEN:-no secret}"; cat /proc/sys/kernel/random/uuid) >built.txt
    start: python3 server.py
    secrets: { TOKEN: { generate: 20 } }
    site: { port: 8081 }
    health: { path: /, status: 200 }
`,
      { 'server.py': server('open("built.txt", "rb").read()') },
    );
    expect((await pipeline('prod', 'plan')).stdout).toMatch(/install\s+package bc/);
    await pipeline('prod', 'up');
    const deployed = await pipeline('deploy', 'native');
    expect(deployed.stdout + deployed.stderr).toContain('Live in');
    const built = await ask(8081);
    expect(built).toMatch(/^pipeline-build\n42\nno secret\n[0-9a-f-]{36}\n$/);
    writeFileSync(
      join(demo, 'pipeline.yml'),
      readFileSync(join(demo, 'pipeline.yml'), 'utf8').replace(
        'build_on: host',
        'build_on: host\n    env: { A: b }',
      ),
    );
    expect((await pipeline('deploy', 'native')).exitCode).toBe(0);
    expect(await ask(8081)).toBe(built);
    change('native', 'server.py', 'import http', 'import  http');
    expect((await pipeline('deploy', 'native')).exitCode).toBe(0);
    expect(await ask(8081)).not.toBe(built);
    expect(await on('stat -c %U /srv/native/green/app/built.txt; pgrep -u pipeline-build || echo none')).toBe(
      'root\nnone',
    );
  });

  it('a build that fails on the host: exit 3 in its own words, and no release', async () => {
    const config = join(demo, 'pipeline.yml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace(/build: \(id.*/, 'build: echo no luck today; exit 7'));
    const failed = await pipeline('deploy', 'native');
    writeFileSync(config, text);
    expect(failed.exitCode).toBe(3);
    expect(failed.stdout).toMatch(/ended with exit code 7[\s\S]*no luck today/);
    expect(await on('ls -d /srv/native/releases/.new 2>/dev/null || echo none')).toBe('none');
  });

  it('a package that apt does not know: exit 3 with its name, and the old version serves', async () => {
    const config = join(demo, 'pipeline.yml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('packages: [python3, bc]', 'packages: [python3, no-such-thing]'));
    const failed = await pipeline('deploy', 'native');
    writeFileSync(config, text);
    expect(failed.exitCode).toBe(3);
    expect(failed.stdout).toContain('no-such-thing');
  });

  it('a program that is built already', async () => {
    add('ready', '    runtime: command\n    site: { port: 8083 }\n', { README: 'nothing to build' });
    await pipeline('prod', 'up');
    writeFileSync(join(demo, 'server'), server('b"ready made"'));
    expect((await pipeline('deploy', 'ready', '--artifact', 'server')).exitCode).toBe(0);
    expect(await ask(8083)).toBe('ready made');
    const untold = await pipeline('deploy', 'ready');
    expect(untold).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('start:') });
  });
});
