/** Hosts that an earlier version of pipeline set up are taken over by the next deploy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { startLoad } from '../support/load.ts';
import { APP, CACHE, type ReleaseFixture, startReleases } from '../support/releases.ts';

/** The last commit whose releases were bash. */
const BEFORE = '2dffe3f19f70373861f44eed4f878a6bddc3bad2';
const root = join(import.meta.dirname, '../..');
const known = spawnSync('git', ['cat-file', '-e', `${BEFORE}^{commit}`], { cwd: root }).status === 0;
const unavailable = known ? hostsUnavailable() : 'this checkout has no history: commit 2dffe3f is missing';

/** The program that deploys, as it was then. */
function bundleBefore(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-before-'));
  const archive = execFileSync('git', ['archive', BEFORE, 'src', 'test/support', 'package.json'], {
    cwd: root,
    maxBuffer: 2 ** 28,
  });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const path = join(folder, 'program.mjs');
  buildSync({
    entryPoints: [join(folder, 'test/support/deploy-program.ts')],
    outfile: path,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

describe.skipIf(unavailable !== undefined)(`hosts of an earlier version (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let before: ReturnType<typeof bundleBefore>;

  beforeAll(async () => {
    before = bundleBefore();
    at = await startReleases(['web']);
  });
  afterEach(() => at.clean());
  afterAll(async () => {
    before?.remove();
    await at?.stop();
  });

  /** @returns the name of the release. */
  async function deployBefore(ref: string): Promise<string> {
    const file = join(at.folder, 'before.json');
    const targets = at.hosts.map(({ connection }) => connection.target);
    const env = { ...process.env, XDG_CACHE_HOME: CACHE };
    writeFileSync(file, JSON.stringify({ config: at.config({}), app: APP, ref, targets, env }));
    const { stdout } = await execa(process.execPath, [before.path, file]);
    const last = JSON.parse(stdout.split('\n').at(-1) ?? '') as { result?: { release: string } };
    if (last.result === undefined) throw new Error(stdout);
    return last.result.release;
  }
  const answer = () => at.ask('/').then(({ text }) => text, String);
  const guard = () => at.on(`systemctl cat pipeline-guard@${APP}.service | grep ExecStart; true`);

  test('the next deploy ends their watch and drops nothing; their releases can be gone back to', async () => {
    const one = await deployBefore('one');
    const two = await deployBefore('two');
    expect(await guard()).toContain('/bin/bash');
    const load = startLoad({ url: `http://${at.addresses[0]}/`, rate: 100, keepAlive: true });
    expect(await at.deploy('three')).toMatchObject({ changed: true, previous: two });
    expect(await answer()).toBe('version three 0');
    expect(await guard()).toContain('/onhost/current guard');
    expect(await at.on(`ls /etc/pipeline/apps/${APP}/guard`)).toBe('order.json\nprevious\nrelease\nuntil\n');
    expect(await at.rollback()).toMatchObject({ release: two });
    expect(await at.rollback(one)).toMatchObject({ release: one });
    expect(await answer()).toBe('version one 0');
    const { ok, sent, others } = await load.stop();
    expect(others).toEqual({});
    expect(ok).toBe(sent);
    expect(await at.deploy('three')).toMatchObject({ changed: true, previous: one });
  });

  test('a watch that they began ends well under the unit of this version', async () => {
    await deployBefore('one');
    await deployBefore('sours');
    // Another application prepares the host anew.
    await at.deploy('one', { hosts: ['web'], site: { domains: ['other.example'] } }, { name: 'other' });
    expect(await guard()).toContain('/onhost/current guard');
    await at.on(`systemctl kill --signal=KILL pipeline-guard@${APP}.service || true`);
    await expect
      // On a busy machine it has gone back before the other application is there.
      .poll(() => at.on(`grep '"app":"${APP}"' /var/log/pipeline/audit.jsonl | tail -n 1`), {
        timeout: 60_000,
      })
      .toMatch(/failed.*went back to/);
    expect(await at.on(`readlink /srv/${APP}/blue; readlink /var/lib/pipeline/proxy/${APP}/weights`)).toMatch(
      /w0\n$/,
    );
  });
});
