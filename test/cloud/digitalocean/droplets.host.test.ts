/** The whole way over the real OpenSSH client: the fake's droplets are Debian hosts of this machine. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDigitalOceanProvider } from '../../../src/cloud/digitalocean/provider.ts';
import { generateEd25519, publicKeyOf } from '../../../src/cloud/ed25519.ts';
import { quietContext } from '../../../src/context.ts';
import { writeKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { connect } from '../../../src/ssh/openssh.ts';
import { fakeAccount } from '../../fakes/digitalocean/account.ts';
import { localMachines } from '../../fakes/digitalocean/local-machines.ts';
import { injectedPrivateKey } from '../../fakes/digitalocean/machines.ts';
import { FAKE_TOKEN, startFake } from '../../fakes/digitalocean/server.ts';
import { hostsUnavailable } from '../../support/hosts.ts';
import { machineSpec, referenceSpec } from './reference.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stdout.write(`SKIPPED: droplets on real hosts: ${unavailable}\n`);

describe.skipIf(unavailable !== undefined)('droplets that are real hosts', () => {
  it('are taken over strictly, show a key of their own afterwards, survive a power cycle and go', {
    timeout: 180_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pipeline-do-host-'));
    const account = fakeAccount();
    const problems: string[] = [];
    const hosts = await localMachines({
      ...{ account, directory: join(directory, 'hosts'), now: Date.now },
      project: `test-do-${process.pid}`,
      log: (line) => problems.push(line),
    });
    const fake = await startFake({ account, machines: hosts });
    const further = generateEd25519().publicKey;
    const spec = referenceSpec(directory, {
      machines: [machineSpec('web-1'), machineSpec('web-2')],
      authorizedKeys: [`${further} a colleague`],
    });
    const context = quietContext({ env: process.env });
    const provider = () => createDigitalOceanProvider(context, spec, { token: FAKE_TOKEN, apiUrl: fake.url });
    const open = async (keys: readonly string[]) => {
      const [machine] = await provider().machines();
      if (machine === undefined) throw new Error('there is no machine');
      const { name, address, port, user, identityFile } = machine;
      const knownHostsFile = join(directory, `known-${Math.random()}`);
      await writeKnownHosts(knownHostsFile, [{ address, port, keys }]);
      return connect({ name, address, port, user, identityFile, knownHostsFile }, context);
    };
    try {
      const machines = await provider().apply(await provider().plan());
      expect(machines.map(({ state }) => state)).toEqual(['running', 'running']);
      expect(new Set(machines.flatMap(({ hostKeys }) => hostKeys)).size).toBe(2);
      expect((await provider().plan()).changes).toEqual([]);

      const connection = await open(machines[0]?.hostKeys ?? []);
      const inside = await connection.check('hostname; ls /etc/ssh/*_key; cat /root/.ssh/authorized_keys', {
        label: 'look around',
      });
      expect(inside).toContain('web-1\n/etc/ssh/ssh_host_ed25519_key\n');
      expect(inside).toContain(`${further} a colleague`);
      await connection.close();

      // The key that every process on the droplet can read in its user data opens nothing any more.
      const [droplet] = account.droplets;
      const injected = publicKeyOf(injectedPrivateKey(droplet?.userData ?? '') ?? '');
      const stranger = await open([injected ?? '']);
      await expect(stranger.check('true', { label: 'sign in' })).rejects.toMatchObject({
        reason: 'host-key-changed',
      });
      await stranger.close();

      const off = await fetch(`${fake.url}/v2/droplets/${droplet?.id}/actions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${FAKE_TOKEN}` },
        body: JSON.stringify({ type: 'power_off' }),
      });
      expect(off.status).toBe(201);
      const plan = await provider().plan();
      expect(plan.changes).toMatchObject([{ host: 'web-1', action: 'restart' }]);
      expect((await provider().apply(plan))[0]).toMatchObject({
        state: 'running',
        hostKeys: machines[0]?.hostKeys,
      });

      expect((await provider().destroy()).left).toEqual([]);
      expect(problems.filter((line) => !line.includes(' runs at '))).toEqual([]);
    } finally {
      await fake.stop();
      await hosts.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
