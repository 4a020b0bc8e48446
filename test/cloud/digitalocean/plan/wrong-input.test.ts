/**
 * What people get wrong, and what goes wrong around them: each has a cause, a next step and the right exit
 * code; nothing is half-made without a word.
 */
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDigitalOceanProvider } from '../../../../src/cloud/digitalocean/provider.ts';
import type { EnvironmentSpec } from '../../../../src/cloud/provider.ts';
import { quietContext } from '../../../../src/context.ts';
import { Failure } from '../../../../src/errors.ts';
import { type FakeAccount, fakeAccount } from '../../../fakes/digitalocean/account.ts';
import { FAKE_TOKEN } from '../../../fakes/digitalocean/server.ts';
import { addForeignDroplet } from '../apply/foreign.ts';
import { machineSpec, referenceSpec } from '../reference.ts';
import { type Scene, withScene } from '../support.ts';

const SECRET = 'dop_v1_0123456789abcdef';

async function failureOf(work: () => Promise<unknown>): Promise<Failure> {
  const error = await work().then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

interface Mistake {
  readonly title: string;
  readonly account?: (account: FakeAccount) => void;
  readonly spec?: Partial<EnvironmentSpec>;
  readonly run?: (scene: Scene) => Promise<unknown>;
  readonly message: RegExp;
  readonly next: RegExp;
  readonly exitCode: 2 | 3;
}

const one = (overrides: Parameters<typeof machineSpec>[1]): Partial<EnvironmentSpec> => ({
  machines: [machineSpec('web', overrides)],
});

const MISTAKES: readonly Mistake[] = [
  {
    title: 'a wrong token',
    run: async ({ provider }) => provider({}, { token: SECRET, env: { DIGITALOCEAN_TOKEN: SECRET } }).plan(),
    message: /does not accept the token in DIGITALOCEAN_TOKEN \(401: Unable to authenticate you\)/,
    next: /Make a new one at https:\/\/cloud\.digitalocean\.com\/account\/api\/tokens/,
    exitCode: 2,
  },
  {
    title: 'a read-only token',
    run: async ({ provider }) => {
      const readOnly = provider({}, { token: 'dop_v1_read' });
      await readOnly.apply(await readOnly.plan());
    },
    message: /may not change this account \(403/,
    next: /full access, or with read and write scope for droplet/,
    exitCode: 2,
  },
  {
    title: 'no room for more droplets',
    account: (account) => {
      account.dropletLimit = 3;
      addForeignDroplet(account, { name: 'other', tags: [] });
    },
    message: /may have 3 droplets and has 1: there is no room for 3 more/,
    next: /droplet_limit_increase/,
    exitCode: 3,
  },
  {
    title: 'a locked account',
    account: (account) => {
      account.status = 'locked';
    },
    message: /account is locked/,
    next: /cloud\.digitalocean\.com/,
    exitCode: 3,
  },
  {
    title: 'a misspelt size',
    spec: one({ size: 's-1vpcu-1gb' }),
    message: /web: DigitalOcean has no size "s-1vpcu-1gb"/,
    next: /^Did you mean s-1vcpu-1gb\?/,
    exitCode: 2,
  },
  {
    title: 'a misspelt region',
    spec: one({ region: 'nyc33' }),
    message: /web: DigitalOcean has no region "nyc33"/,
    next: /^Did you mean nyc3\?/,
    exitCode: 2,
  },
  {
    title: 'an image that is not offered any more',
    spec: one({ image: 'debian-11-x64' }),
    message: /web: DigitalOcean has no image "debian-11-x64"/,
    next: /^Did you mean debian-1[23]-x64\? There are debian-12-x64/,
    exitCode: 2,
  },
  {
    title: 'a sold-out size',
    account: ({ catalogue }) => {
      for (const size of catalogue.sizes) if (size.slug === 's-1vcpu-1gb') size.available = false;
    },
    message: /monitor: the size s-1vcpu-1gb is sold out/,
    next: /^Choose s-1vcpu-2gb \(\$12 a month\), /,
    exitCode: 3,
  },
  {
    title: 'a region that does not have the size',
    account: ({ catalogue }) => {
      for (const region of catalogue.regions)
        if (region.slug === 'fra1') region.sizes = region.sizes.filter((size) => size !== 'c-2');
    },
    spec: one({ region: 'fra1', size: 'c-2' }),
    message: /web: there is no size c-2 in the region fra1/,
    next: /^In fra1, choose s-2vcpu-4gb .*; or one of its regions: nyc1, /,
    exitCode: 2,
  },
  {
    title: 'a region that takes no new droplets',
    spec: one({ region: 'sfo2' }),
    message: /web: the region sfo2 takes no new droplets now/,
    next: /^Choose another region in pipeline\.yml: nyc1, nyc3/,
    exitCode: 3,
  },
  {
    title: 'an account with too many tags',
    account: (account) => {
      account.tagLimit = 3;
    },
    run: ({ up }) => up(),
    message: /Tag limit exceeded/,
    next: /Remove tags that nothing uses/,
    exitCode: 3,
  },
  {
    title: 'a name that no droplet can have',
    spec: { machines: [machineSpec('my_web')] },
    message: /cannot be called "my_web"/,
    next: /letters, digits and dashes/,
    exitCode: 2,
  },
  {
    title: 'no network for operators',
    spec: { operators: [] },
    message: /Nobody could reach the droplets/,
    next: /under operators:/,
    exitCode: 2,
  },
  {
    title: 'a network for operators that is none',
    spec: { operators: ['203.0.113.900/32'] },
    run: ({ provider }) => apply(provider({ operators: ['203.0.113.900/32'] })),
    message: /refused \(422: invalid address\)/,
    next: /.+/,
    exitCode: 3,
  },
  {
    title: 'the folder of the project lost, and its key with it',
    run: async ({ up, provider, directory }) => {
      await up();
      await rm(join(directory, '.pipeline'), { recursive: true });
      await provider().plan();
    },
    message: /monitor, checkbox, itrust: made with another key \([0-9a-f:]{47}\) than this folder has/,
    next: /Copy \.pipeline\/keys\/prod from the machine that made them.*pipeline prod destroy/,
    exitCode: 2,
  },
];

async function apply(provider: ReturnType<Scene['provider']>): Promise<unknown> {
  return provider.apply(await provider.plan());
}

describe('wrong input', () => {
  it.each(MISTAKES)('$title', ({ account: change, spec, run, message, next, exitCode }) => {
    const account = fakeAccount();
    change?.(account);
    const tokens = { [FAKE_TOKEN]: 'write', dop_v1_read: 'read' } as const;
    return withScene({ account, tokens }, async (scene) => {
      const failure = await failureOf(() => (run === undefined ? scene.provider(spec).plan() : run(scene)));
      expect(failure.message).toMatch(message);
      expect(failure.next).toMatch(next);
      expect(failure.exitCode).toBe(exitCode);
      expect(
        JSON.stringify([failure.message, failure.next, failure.cause ?? '', scene.trace, scene.events]),
      ).not.toContain(SECRET);
    });
  });

  it('destroy goes on without the lost key', () =>
    withScene({}, async ({ account, up, provider, directory }) => {
      await up();
      await rm(join(directory, '.pipeline'), { recursive: true });
      expect((await provider().destroy()).left).toEqual([]);
      expect(account).toMatchObject({ droplets: [], firewalls: [], keys: [], tags: [] });
    }));

  it.each([
    ['no token', '', /needs an API token/],
    ['a token with a line break inside', `${SECRET}\n${SECRET}`, /holds a character that no token has/],
    ['a token with an accent', `${SECRET}é`, /holds a character that no token has/],
  ])('%s is noticed before any call, and not shown', (_title, token, message) => {
    const create = () => createDigitalOceanProvider(quietContext(), referenceSpec('/nowhere'), { token });
    expect(create).toThrow(message);
    expect(create).not.toThrow(SECRET);
  });

  it.each(['nonsense', 'ftp://127.0.0.1', 'http://user:word@127.0.0.1'])(
    '%s is no address of the API',
    (apiUrl) => {
      const create = () =>
        createDigitalOceanProvider(quietContext(), referenceSpec('/nowhere'), { token: SECRET, apiUrl });
      expect(create).toThrow(/DIGITALOCEAN_API_URL is/);
    },
  );

  it('no network: said within seconds, with the address and the reason', async () => {
    const port = await freePort();
    const at = (apiUrl: string) =>
      createDigitalOceanProvider(quietContext(), referenceSpec('/nowhere'), { token: SECRET, apiUrl }).plan();
    const refused = await failureOf(() => at(`http://127.0.0.1:${port}`));
    expect(refused.message).toContain(
      `http://127.0.0.1:${port} cannot be reached: nothing listens there (ECONNREFUSED)`,
    );
    const unknown = await failureOf(() => at('https://api.digitalocean.invalid'));
    expect(unknown.message).toMatch(
      /https:\/\/api\.digitalocean\.invalid cannot be reached: (its name does not resolve|no name server answers)/,
    );
    expect([refused.exitCode, unknown.exitCode]).toEqual([3, 3]);
    expect(unknown.next).toContain('DIGITALOCEAN_API_URL');
  });

  it('Ctrl-C stops a wait at once, with its own reason', () =>
    withScene({ speed: 1 }, async ({ account, spec, fake }) => {
      account.delays = { ...account.delays, boot: 60_000 };
      const stop = new AbortController();
      const context = quietContext({
        signal: stop.signal,
        progress: ({ stage, detail }) => {
          if (stage === 'droplet' && detail === 'new') stop.abort(new Failure('interrupted', 'stopped'));
        },
      });
      const provider = createDigitalOceanProvider(context, spec, { token: FAKE_TOKEN, apiUrl: fake.url });
      const failure = await failureOf(() => apply(provider));
      expect(failure.kind).toBe('interrupted');
    }));
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
