/** Bun and Deno on a real host: their programs come from npm's registry, as Node's does. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineForBuilds } from '../../src/build/node-runtime.ts';
import { quietContext } from '../../src/context.ts';
import { type AppProject, appProject } from '../support/app-project.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import type { Ended } from '../support/program.ts';

const BUN = '1.4.5';
const DENO = '2.9.6';

/** Why they cannot be had here. */
function noEngines(): string | undefined {
  const asked = ['view', `@oven/bun-linux-x64@${BUN}`, `@deno/linux-x64-glibc@${DENO}`, 'version'];
  return spawnSync('npm', asked, { timeout: 60_000 }).status === 0 ? undefined : 'npm reaches no Bun or Deno';
}

const unavailable = hostsUnavailable() ?? noEngines();

const APPS = `  bun:
    source: bun
    hosts: [web]
    site: { port: 8081 }
    health: { path: /, status: 200, contains: Hello }
    probation: 0s
  deno:
    source: deno
    hosts: [web]
    site: { port: 8082 }
    health: { path: /, status: 200, contains: Hello }
    probation: 0s
`;

const bun = (greeting: string) => ({
  '.gitignore': 'node_modules\n',
  'package.json': JSON.stringify({
    name: 'greeter',
    packageManager: `bun@${BUN}`,
    scripts: { build: 'bun build.ts', start: 'bun run index.ts' },
    dependencies: { semver: '7.6.0' },
    devDependencies: { ms: '2.1.3' },
  }),
  'build.ts': 'import ms from "ms"; await Bun.write("built.txt", String(ms("2s")));\n',
  'index.ts': `import { existsSync } from "node:fs";
import { major } from "semver";
const parts: string[] = ["Hello ${greeting}", Bun.version, String(major("3.2.1"))];
parts.push(await Bun.file("built.txt").text(), String(existsSync("node_modules/ms")));
Bun.serve({ hostname: "127.0.0.1", port: Number(Bun.env.PORT), fetch: () => new Response(parts.join(" ")) });
`,
});
const deno = (greeting: string) => ({
  'deno.jsonc': `{
  // What people write.
  "tasks": { "start": "deno run --allow-net --allow-env main.ts" },
  "imports": { "semver": "npm:semver@7.6.0" },
}
`,
  '.tool-versions': `deno ${DENO}\n`,
  'main.ts': `import semver from "semver";
const text = \`Hello ${greeting} \${Deno.version.deno} \${semver.major("3.2.1")}\`;
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")) }, () => new Response(text));
`,
});

describe.skipIf(unavailable !== undefined)(`Bun and Deno (${unavailable ?? 'on a real host'})`, () => {
  let project: AppProject;
  const bins = mkdtempSync(join(tmpdir(), 'pipeline-engines-'));
  /** The lock file, as their own programs make it. */
  async function lock(app: string, engine: string): Promise<void> {
    const bin = await engineForBuilds(engine, quietContext());
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, DENO_DIR: bins };
    execFileSync(app, ['install'], { cwd: join(project.path, app), env, stdio: 'ignore' });
    project.commit(app, { lock: 'made\n' });
  }

  beforeAll(async () => {
    project = appProject(APPS);
    project.commit('bun', bun('first'));
    project.commit('deno', deno('first'));
    await lock('bun', `bun-${BUN}`);
    await lock('deno', `deno-${DENO}`);
    const made = await project.pipeline('prod', 'up');
    if (made.exitCode !== 0) throw new Error(made.stdout + made.stderr);
  });
  afterAll(async () => {
    rmSync(bins, { recursive: true, force: true });
    await project.remove();
  });

  it.each([
    [
      'bun',
      8081,
      `Hello first ${BUN} 3 2000 false`,
      bun('second'),
      { 'index.ts': 'throw new Error("bad luck");\n' },
    ],
    ['deno', 8082, `Hello first ${DENO} 3`, deno('second'), { 'main.ts': 'throw new Error("bad luck");\n' }],
  ] as const)(
    '%s: built, deployed, changed, failed and taken back, no request dropped',
    async (...row) => {
      const [app, port, answer, second, broken] = row;
      const first = await project.pipeline('deploy', app);
      expect(first.stdout + first.stderr).toContain('Live in');
      expect(await project.ask(port)).toBe(answer);
      const ended: Ended[] = [];
      const load = await project.during(port, async () => {
        project.commit(app, second);
        ended.push(await project.pipeline('deploy', app));
        project.commit(app, broken);
        ended.push(await project.pipeline('deploy', app));
        ended.push(await project.pipeline('rollback', app));
        ended.push(await project.pipeline('restart', app));
      });
      expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 3, 0, 0]);
      // The program is there already.
      expect(ended[0]?.stdout).not.toContain(`upload ${app}`);
      expect(ended[1]?.stdout).toContain('bad luck');
      expect(await project.ask(port)).toBe(answer);
      expect(load.others).toEqual({});
      expect(load.ok).toBe(load.sent);
    },
    900_000,
  );

  it('a version that there is not: exit 2 before anything is touched', async () => {
    project.commit('deno', { '.tool-versions': 'deno 0.0.999\n' });
    const failed = await project.pipeline('deploy', 'deno');
    expect(failed.exitCode).toBe(2);
    expect(failed.stdout).toContain('asks for deno "0.0.999" (.tool-versions)');
  });
});
