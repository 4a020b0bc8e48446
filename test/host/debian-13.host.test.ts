/** Debian 13 as users get it: `image:` in pipeline.yml, `prod up`, a service and a WAR with its database. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecipe } from '../../src/cloud/local/base-image.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { javaUnavailable } from '../support/java.ts';
import { projectFolder, run, runJson } from '../support/program.ts';

/** Why its packages cannot be had here; undefined where they can. */
async function packagesUnavailable(): Promise<string | undefined> {
  const { sources } = await readRecipe('debian-13-x64');
  const archive = /https?:\/\/\S+/.exec(`${sources?.list}${sources?.deb822}`)?.[0];
  const release = `${archive}/dists/trixie/Release`;
  const asked = spawnSync('curl', ['-sfL', '--head', '--max-time', '30', '--retry', '2', release]);
  if (asked.status === 0) return undefined;
  return "this machine's archive in /etc/apt has no Debian 13: let it reach one that has";
}

const unavailable = hostsUnavailable() ?? javaUnavailable() ?? (await packagesUnavailable());
if (unavailable !== undefined)
  process.stderr.write(`test/host/debian-13.host.test.ts skipped: ${unavailable}\n`);

const configuration = () => `
project: trixie-${randomBytes(3).toString('hex')}
hosts:
  web: { roles: [nginx, tomcat, mariadb, redis], image: debian-13-x64, memory: 1G, cpus: 2 }
apps:
  hello:
    source: hello
    hosts: [web]
    watch: 0s
    health: { path: /, contains: hello }
  notes:
    source: notes
    runtime: tomcat
    build: sh build.sh
    artifact: notes.war
    context: /notes
    databases: { notes: { engine: mariadb, name: notes } }
    files: { WEB-INF/classes/db.properties: db.properties }
    hosts: [web]
    site: { port: 8080 }
    watch: 0s
    health: { path: /notes/status, contains: notes, within: 5m }
`;

describe.skipIf(unavailable !== undefined)(`Debian 13 (${unavailable ?? 'local'})`, () => {
  const project = projectFolder(configuration());
  const here = { cwd: project.path };
  afterAll(() => project.remove());

  beforeAll(() => {
    execFileSync(process.execPath, ['examples/notes/make-repository.mjs', join(project.path, 'notes')]);
    writeFileSync(join(project.path, 'db.properties'), readFileSync('examples/notes/db.properties'));
    const hello = join(project.path, 'hello');
    mkdirSync(hello);
    writeFileSync(
      join(hello, 'package.json'),
      '{ "name": "hello", "scripts": { "start": "node server.js" } }',
    );
    writeFileSync(
      join(hello, 'server.js'),
      "require('http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT);",
    );
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], { cwd: hello });
    git('init', '-q', '-b', 'main');
    git('add', '--all');
    git('commit', '-q', '-m', 'Hello');
  });

  it('is what the host is made of, and has every role after one run', async () => {
    const up = await run(['prod', 'up'], here);
    expect(up.stderr + up.stdout).toContain('Ready in');
    expect(up.exitCode).toBe(0);
    const host = ['prod', 'ssh', 'web', '--'];
    expect((await run([...host, 'cat /etc/debian_version'], here)).stdout).toMatch(/^13\./);
    expect((await run([...host, 'systemctl list-units --failed --plain --no-legend'], here)).stdout).toBe('');
  });

  it('changes nothing in a second run, also where a unit was enabled without a reload', async () => {
    await run(['prod', 'ssh', 'web', '--', 'systemctl -q disable --no-reload logrotate.timer'], here);
    await run(['prod', 'up'], here);
    const { stdout } = await run(['prod', 'up'], here);
    expect(stdout).toContain('Nothing to change on 1 host');
  });

  it('serves a Node service, and a WAR from its Tomcat with its MariaDB', async () => {
    for (const app of ['hello', 'notes']) {
      const deployed = await run(['deploy', app], here);
      expect(deployed.stdout + deployed.stderr).toContain('Live in');
    }
    const { json } = await runJson(['prod', 'status'], here);
    const healthy = expect.objectContaining({ healthy: true });
    expect(json).toMatchObject({ hosts: [{ name: 'web', apps: [healthy, healthy] }] });
  });
});
