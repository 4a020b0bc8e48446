/** Layers between the base image and hosts' disks: what hosts have of them, and what goes wrong. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rootOf } from '../../../src/cloud/local/cache.ts';
import { handedFiles } from '../../../src/cloud/local/handed.ts';
import { ensureLayer, type Layer, layersOn } from '../../../src/cloud/local/layers.ts';
import { readHostRecord } from '../../../src/cloud/local/records.ts';
import { environmentLayout, hostLayout, localSettings } from '../../../src/cloud/local/settings.ts';
import { quietContext } from '../../../src/context.ts';
import {
  hostsUnavailable,
  machineSpec,
  sshArguments,
  startHosts,
  type TestHosts,
} from '../../support/hosts.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

/** Small, with a service that its package would start. */
const PACKAGE = 'cron';

describe.skipIf(unavailable !== undefined)('a layer', () => {
  let hosts: TestHosts;
  let base: string;
  let folder: string;
  let program: { from: string; to: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-layers-'));
    program = { from: join(folder, 'hello'), to: '/opt/hello/bin/hello' };
    writeFileSync(program.from, '#!/bin/sh\necho hello\n', { mode: 0o600 });
    const machines = [
      machineSpec('plain'),
      { ...machineSpec('furnished'), preinstalled: ['nginx'], programs: [program] },
    ];
    hosts = await startHosts({ names: [], spec: { machines } });
    const layout = environmentLayout(localSettings(process.env), hosts.spec);
    base = (await readHostRecord(hostLayout(layout, 'plain').recordFile))?.base ?? '';
  });
  afterAll(async () => {
    await hosts?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'pipeline-cache-'));
  });
  afterEach(() => {
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(cache);
    rmSync(cache, { recursive: true, force: true });
  });

  const settings = () => localSettings({ PIPELINE_LOCAL_CACHE: cache });
  const layer = (): Layer => {
    const [first] = layersOn(settings(), base, { preinstalled: [PACKAGE] });
    if (first === undefined) throw new Error('no layer');
    return first;
  };
  const make = async (context = quietContext()) => {
    const { files } = await handedFiles(quietContext(), '10.77.1.0/24');
    await ensureLayer(context, settings(), layer(), files, [layer().directory]);
  };
  const on = (name: string, command: string) =>
    execFileSync('ssh', [...sshArguments(hosts.machine(name)), command], { encoding: 'utf8' });
  /** What is in the cache besides locks. */
  const images = () => readdirSync(join(cache, 'layer')).filter((name) => !name.endsWith('.lock'));

  test('gives a host its packages and programs from the first boot on, and others nothing', () => {
    const look =
      'systemctl is-active nginx; /opt/hello/bin/hello; stat -c %a /opt/hello /opt/hello/bin/hello';
    expect(on('furnished', look)).toBe('active\nhello\n755\n755\n');
    expect(on('furnished', 'test -e /usr/sbin/policy-rc.d || dpkg --audit')).toBe('');
    expect(on('plain', 'command -v nginx; ls -d /opt/hello 2>/dev/null || true')).toBe('');
  });

  test('is shared: what a host writes stays its own', async () => {
    on('furnished', 'rm /opt/hello/bin/hello && echo changed >/etc/nginx/nginx.conf');
    const layout = environmentLayout(localSettings(process.env), hosts.spec);
    const record = await readHostRecord(hostLayout(layout, 'furnished').recordFile);
    const [programs = '', packages = ''] = record?.layers ?? [];
    expect(statSync(join(rootOf(programs), program.to)).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(rootOf(packages), 'etc/nginx/nginx.conf'), 'utf8')).toContain(
      'worker_processes',
    );
  });

  test('holds the package alone, and starts nothing on this machine', async () => {
    const running = () => execFileSync('sh', ['-c', `pgrep -xc ${PACKAGE} || true`], { encoding: 'utf8' });
    const before = running();
    await make();
    const inside = (path: string) => join(rootOf(layer().directory), path);
    expect(existsSync(inside('usr/sbin/cron'))).toBe(true);
    expect(readFileSync(inside('var/lib/dpkg/status'), 'utf8')).toMatch(/Package: cron\nStatus: install ok/);
    for (const path of ['usr/sbin/policy-rc.d', 'var/cache/apt', 'root', 'proc']) {
      expect(existsSync(inside(path))).toBe(false);
    }
    expect(images()).toEqual([layer().directory.split('/').at(-1)]);
    expect(running()).toBe(before);
  });

  test('whose package is out of reach says so, and leaves nothing', async () => {
    const away = layersOn(settings(), base, { preinstalled: ['no-such-package'] })[0] ?? layer();
    await expect(ensureLayer(quietContext(), settings(), away, [], [])).rejects.toMatchObject({
      kind: 'host',
      step: 'image layer',
      message: 'no-such-package cannot be installed into an image for local hosts.',
      next: expect.stringContaining('/etc/apt'),
    });
    expect(images()).toEqual([]);
  });

  test('on a full disk is not begun', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=50m', 'tmpfs', cache]);
    try {
      await expect(make()).rejects.toMatchObject({
        kind: 'usage',
        message: expect.stringMatching(/is full: the image layer needs 300 MB, \d+ MB are free\.$/),
      });
      expect(images()).toEqual([]);
    } finally {
      execFileSync('umount', [cache]);
    }
  });

  test('interrupted while it is made, it leaves nothing', async () => {
    const stop = new AbortController();
    const made = make(quietContext({ signal: stop.signal }));
    const workshop = `${layer().directory}.building`;
    // the package is being unpacked
    while (!existsSync(join(workshop, 'image/rootfs/var/lib/dpkg/lock'))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop.abort(new Error('interrupted'));
    await expect(made).rejects.toThrow('interrupted');
    expect(images()).toEqual([]);
  });
});
