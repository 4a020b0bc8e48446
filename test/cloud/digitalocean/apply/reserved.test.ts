/** `prod replace` of a droplet with a reserved address: the droplet in its place gets it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FakeAccount, REALISTIC_DELAYS } from '../../../fakes/digitalocean/account.ts';
import { type Scene, withScene } from '../support.ts';

const IP = '203.0.113.7';

/** A deployment whose droplet `checkbox` has a reserved address; another is somebody else's. */
async function withReserved(scene: Scene): Promise<void> {
  const { account, up } = scene;
  account.delays = { ...REALISTIC_DELAYS, latency: 0 };
  await up();
  const { id, region } = dropletOf(account, 'checkbox');
  account.reserved.push(
    { ip: IP, region, droplet: id, busyUntil: 0 },
    { ip: '203.0.113.8', region, droplet: dropletOf(account, 'itrust').id, busyUntil: 0 },
  );
}

function dropletOf({ droplets }: FakeAccount, name: string) {
  const found = droplets.findLast((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no droplet ${name}`);
  return found;
}

const reserved = ({ reserved }: FakeAccount, ip = IP) => reserved.find((one) => one.ip === ip)?.droplet;
const notes = ({ directory, spec }: Scene) =>
  join(directory, '.pipeline', `reserved.${spec.environment}.json`);

test('moves to the new droplet, and no other does', () =>
  withScene({}, async (scene) => {
    const { account, provider, up } = scene;
    await withReserved(scene);
    const before = dropletOf(account, 'checkbox').id;
    await provider().remove('checkbox');
    await up();
    const after = dropletOf(account, 'checkbox').id;
    expect(after).not.toBe(before);
    expect(reserved(account)).toBe(after);
    expect(reserved(account, '203.0.113.8')).toBe(dropletOf(account, 'itrust').id);
    expect(scene.events).toContainEqual(
      expect.objectContaining({ host: 'checkbox', stage: 'reserved address', state: 'done', detail: IP }),
    );
    expect(existsSync(notes(scene))).toBe(false);
    expect((await provider().plan()).changes).toEqual([]);
  }));

test('killed after the droplet was made, the next run shows and does the rest', () =>
  withScene({}, async (scene) => {
    const { account, fake, provider, up } = scene;
    await withReserved(scene);
    await provider().remove('checkbox');
    fake.fail(({ route }) =>
      route === '/v2/reserved_ips/:ip/actions' ? { kind: 'status', status: 403, effect: false } : undefined,
    );
    await expect(up()).rejects.toThrow();
    fake.fail(undefined);
    const plan = await provider().plan();
    expect(plan.changes).toEqual([
      { host: 'checkbox', step: 'reserved address', action: 'change', detail: [IP] },
    ]);
    await provider().apply(plan);
    expect(reserved(account)).toBe(dropletOf(account, 'checkbox').id);
  }));

test('given to somebody else meanwhile, it stays theirs', () =>
  withScene({}, async (scene) => {
    const { account, provider, up } = scene;
    await withReserved(scene);
    await provider().remove('checkbox');
    const other = dropletOf(account, 'monitor').id;
    for (const one of account.reserved) if (one.ip === IP) one.droplet = other;
    await up();
    expect(reserved(account)).toBe(other);
    expect(existsSync(notes(scene))).toBe(false);
  }));

test('a token that may not read them: said, and the droplet is removed all the same', () =>
  withScene({}, async (scene) => {
    const { account, fake, provider } = scene;
    await withReserved(scene);
    fake.fail(({ route }) =>
      route === '/v2/reserved_ips' ? { kind: 'status', status: 403, effect: false } : undefined,
    );
    await provider().remove('checkbox');
    expect(scene.events).toContainEqual(
      expect.objectContaining({ state: 'skipped', detail: expect.stringContaining('reserved_ip:read') }),
    );
    expect(account.droplets.find(({ name, goneAt }) => name === 'checkbox' && goneAt === Infinity)).toBe(
      undefined,
    );
  }));
