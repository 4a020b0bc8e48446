/**
 * `pipeline prod destroy` and the hosts that a canary has kept: each removes its own, and names the other's.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labEnvironment } from '../../src/canary/lab/hosts.ts';
import { createLocalProvider } from '../../src/cloud/local/provider.ts';
import { loadConfig } from '../../src/config/load.ts';
import { quietContext } from '../../src/context.ts';
import { hostsUnavailable, machineSpec } from '../support/hosts.ts';
import { projectFolder, run, runJson } from '../support/program.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(`hosts of a canary (${unavailable ?? 'local'})`, () => {
  const project = projectFolder(`
project: kept-${randomBytes(3).toString('hex')}
hosts:
  web: { memory: 256M }
`);
  const here = { cwd: project.path };
  const context = quietContext({ cwd: project.path });
  const lab = async () => {
    const environment = labEnvironment(await loadConfig(undefined, context));
    return createLocalProvider(context, { ...environment, machines: [machineSpec('blue')] });
  };
  beforeAll(async () => {
    const provider = await lab();
    await provider.apply(await provider.plan());
  });
  afterAll(async () => {
    await (await lab()).destroy();
    await project.remove();
  });

  it('stay where the servers are destroyed, which says how they go', async () => {
    const { json, exitCode } = await runJson(['prod', 'destroy', '--yes'], here);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      removed: [],
      left: ['hosts of a canary: pipeline prod destroy --canary removes them'],
    });
    expect(await (await lab()).machines()).toHaveLength(1);
  });

  it('go by --canary, which asks first', async () => {
    const unasked = await run(['prod', 'destroy', '--canary'], here);
    expect(unasked.exitCode).toBe(2);
    const { json } = await runJson(['prod', 'destroy', '--canary', '--yes'], here);
    expect((json as { removed: string[] }).removed).toContainEqual(expect.stringMatching(/^host blue /));
    expect(await (await lab()).machines()).toEqual([]);
    expect((await runJson(['prod', 'destroy', '--yes'], here)).json).toMatchObject({ left: [] });
  });

  it('are not orphans: the two flags exclude each other', async () => {
    const both = await run(['prod', 'destroy', '--canary', '--orphans'], here);
    expect(both.exitCode).toBe(2);
    expect(both.stdout + both.stderr).toContain('Give one of them.');
  });
});
