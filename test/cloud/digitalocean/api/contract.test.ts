/**
 * Client and fake against DigitalOcean's published contract. The document is not part of this repository:
 * where it is absent, these tests are skipped.
 * They stand where the continuous integration has it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { REALISTIC_DELAYS } from '../../../fakes/digitalocean/account.ts';
import { type Contract, readContract } from '../../../fakes/digitalocean/contract.ts';
import { type Exchange, FAKE_TOKEN } from '../../../fakes/digitalocean/server.ts';
import { addForeignThings } from '../apply/foreign.ts';
import { machineSpec } from '../reference.ts';
import { type Scene, withScene } from '../support.ts';

const FILE = join(import.meta.dirname, '../../../../../shared/reference/digitalocean-openapi.yaml');
const absent = !existsSync(FILE);
if (absent) {
  process.stdout.write(
    "SKIPPED: client and fake are not checked against DigitalOcean's published contract, since " +
      '../shared/reference/digitalocean-openapi.yaml is absent (github.com/digitalocean/openapi)\n',
  );
}

/** Everything that the client can do to an account, and everything that the fake can answer. */
async function everything({ account, spec, up, provider, fake }: Scene): Promise<void> {
  account.delays = { ...REALISTIC_DELAYS, latency: 0 };
  addForeignThings(account, marksOf(spec));
  await up();
  const [first] = account.droplets.filter(({ tags }) => tags.includes(marksOf(spec).owner));
  if (first === undefined) throw new Error('there are no droplets');
  first.power = 'off';
  account.keys = account.keys.filter(({ publicKey }) => !publicKey.endsWith(' pipeline prod'));
  const [firewall] = account.firewalls.slice(-1);
  firewall?.inbound.pop();
  const fleet = [1, 2, 3].map((number) => machineSpec(`itrust-${number}`, { size: 's-1vcpu-2gb' }));
  await up({ machines: [...spec.machines.slice(0, 2), ...fleet] });
  await up();
  const region = account.droplets[0]?.region ?? '';
  const web = account.droplets.find(({ name }) => name === 'itrust-1')?.id ?? 0;
  account.reserved.push({ ip: '203.0.113.7', region, droplet: web, busyUntil: 0 });
  await provider().remove('itrust-1');
  await up({ machines: [...spec.machines.slice(0, 2), ...fleet] });
  await provider().destroyable();
  await provider().destroy();
  // Mistakes of a client that is not ours.
  const call = (method: string, path: string, body?: unknown, token = FAKE_TOKEN) =>
    fetch(`${fake.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  await call('GET', '/v2/account', undefined, 'wrong');
  await call('GET', '/v2/droplets/1');
  await call('POST', '/v2/droplets', { names: ['-'], size: 'none', image: 'none' });
  await call('POST', '/v2/tags', { name: 'a b' });
  await call('POST', '/v2/firewalls', { name: 'x', tags: ['absent'], inbound_rules: [] });
  await call('DELETE', `/v2/vpcs/${account.vpcs[0]?.id}`);
  await call('GET', '/v2/sizes?per_page=3&page=2');
}

describe.skipIf(absent)('the published contract', () => {
  let contract: Contract;
  beforeAll(() => {
    contract = readContract(FILE);
  });

  it('is kept by every call of the client and every answer of the fake', () =>
    withScene({}, async (scene) => {
      const exchanges: Exchange[] = [];
      scene.fake.onExchange((exchange) => exchanges.push(exchange));
      await everything(scene);
      const violations = new Set(exchanges.flatMap((exchange) => contract.violations(exchange)));
      const operations = new Set(exchanges.map(({ call }) => `${call.method} ${call.route}`));
      process.stdout.write(`contract: ${exchanges.length} calls of ${operations.size} kinds checked\n`);
      expect([...violations]).toEqual([]);
      expect(operations.size).toBeGreaterThanOrEqual(25);
    }));

  it.each<[string, Partial<Exchange>, RegExp]>([
    ['a call that does not exist', { url: '/v2/nothing' }, /no such call/],
    ['a parameter that does not exist', { url: '/v2/droplets?tag=web' }, /query tag is not in the contract/],
    ['a page too large', { url: '/v2/droplets?per_page=500' }, /query per_page must be <= 200/],
    [
      'an answer without its required fields',
      { responseBody: { droplets: [{ id: 1 }], meta: { total: 1 } } },
      /required property 'name'/,
    ],
    ['an answer of the wrong type', { responseBody: { droplets: 3, meta: { total: 1 } } }, /must be array/],
    ['a body where none belongs', { requestBody: {} }, /takes no body/],
    [
      'a field that the API writes',
      {
        call: { method: 'POST', route: '', occurrence: 1 },
        url: '/v2/account/keys',
        status: 201,
        requestBody: { name: 'a', public_key: 'b', id: 1 },
        responseBody: {},
      },
      /request\/id is the API's to write/,
    ],
    [
      'a port that is no text',
      {
        ...{
          call: { method: 'POST', route: '', occurrence: 1 },
          url: '/v2/firewalls',
          status: 202,
          responseBody: {},
        },
        requestBody: { name: 'web', inbound_rules: [{ protocol: 'tcp', ports: 80, sources: {} }] },
      },
      /ports must be string/,
    ],
  ])('finds %s', (_title, change, message) => {
    const good: Exchange = {
      call: { method: 'GET', route: '/v2/droplets', occurrence: 1 },
      url: '/v2/droplets',
      requestBody: undefined,
      status: 200,
      responseBody: { droplets: [], meta: { total: 0 } },
    };
    expect(contract.violations(good)).toEqual([]);
    expect(contract.violations({ ...good, ...change }).join('\n')).toMatch(message);
  });
});
