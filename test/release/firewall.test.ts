/** Ports of sites that a host's firewall keeps visitors from. */
import { describe, expect, it } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { firewallFiles } from '../../src/host/steps/firewall.ts';
import {
  lookAtFirewalls,
  openFirewalls,
  parseFirewall,
  planFirewall,
} from '../../src/release/front/firewall.ts';
import { firewall } from '../../src/roles/firewall.ts';
import { type Asked, recorded } from './support.ts';

const PARAMS = { fleet: ['192.0.2.1'], operators: ['0.0.0.0/0'], sshPorts: [22] };
const SITE = { port: 8443, protocol: 'tcp', from: 'anyone' } as const;
const WEB = { port: 80, protocol: 'tcp', from: 'anyone' } as const;

/** What a host says whose table lets these in. */
function ours(...exposures: readonly (typeof SITE | typeof WEB)[]): string {
  const files = firewallFiles([firewall({ ...PARAMS, exposures })]);
  return `rules\n${files.at(-1)?.content}`;
}

describe('a firewall of pipeline', () => {
  it('is opened for the ports of a site alone', () => {
    const plan = planFirewall(parseFirewall(ours(WEB)), [WEB, SITE]);
    expect(plan).toEqual({
      closed: [SITE],
      rules: firewall({ ...PARAMS, exposures: [WEB, SITE] }).rules,
      others: [],
    });
  });

  it('that lets them in stays as it is', () => {
    const plan = planFirewall(parseFirewall(ours(WEB, SITE)), [WEB, SITE]);
    expect(plan).toEqual({ closed: [], rules: undefined, others: [] });
  });
});

describe("others' firewalls", () => {
  it('are named where nobody listens on a port of the site yet', () => {
    const facts = parseFirewall('listen 80\nlisten 22\nufw\n');
    expect(planFirewall(facts, [WEB, SITE])).toEqual({ closed: [SITE], rules: undefined, others: ['ufw'] });
    expect(planFirewall(facts, [WEB]).others).toEqual([]);
  });

  it('are none where none is in force', () => {
    expect(planFirewall(parseFirewall('listen 22\n'), [SITE]).closed).toEqual([]);
  });
});

describe('a deploy', () => {
  const several = { source: 'x', hosts: ['web'], site: { port: 8443, balancer: 'front' } };
  const at = (name: string, says: string, asked: Asked[]) => ({
    name,
    connection: recorded(name, asked, () => ({ stdout: says })),
  });
  const request = (hosts: ReturnType<typeof at>[], more: object) =>
    ({ config: {} as never, app: 'app', hosts, ...more }) as const;

  it('asks for prod up, and touches nothing, where the cloud has a firewall too', async () => {
    const asked: Asked[] = [];
    const definition = appSchema.parse({ source: 'x', hosts: ['web'], site: { port: 8443 } });
    const hosts = [at('web', ours(WEB), asked)];
    const looked = lookAtFirewalls(request(hosts, { firewalls: 'cloud' }), definition, quietContext());
    await expect(looked).rejects.toMatchObject({
      kind: 'usage',
      message: 'app: the firewalls of web and of its cloud are closed on port 8443',
      next: 'Open them with pipeline prod up, then run the command again.',
    });
    expect(asked).toHaveLength(1);
    const open = request([at('web', ours(SITE), [])], { firewalls: 'cloud' });
    expect(await lookAtFirewalls(open, definition, quietContext())).toHaveLength(1);
  });

  it('opens the balancer to anyone, and the hosts behind it to the balancer', async () => {
    const definition = appSchema.parse(several);
    const hosts = [at('web', ours(WEB), [])];
    const balancers = [at('front', ours(WEB), [])];
    const found = await lookAtFirewalls(
      request(hosts, { balancers, firewalls: 'host' }),
      definition,
      quietContext(),
    );
    expect(found.map(({ host, plan }) => [host.name, plan.closed])).toEqual([
      ['web', [{ ...SITE, from: 'fleet' }]],
      ['front', [SITE]],
    ]);
  });

  it('says whose firewall it is that stays closed', async () => {
    const definition = appSchema.parse({ source: 'x', hosts: ['web'], site: { port: 8443 } });
    const told: unknown[] = [];
    const context = { ...quietContext(), progress: (one: unknown) => told.push(one) };
    const asked: Asked[] = [];
    const hosts = [at('web', 'listen 22\nufw\n', asked)];
    const found = await lookAtFirewalls(request(hosts, { firewalls: 'host' }), definition, context);
    expect(await openFirewalls(found, context)).toBe(false);
    const detail = "let visitors through ufw to port 8443: it is not pipeline's";
    expect(told).toEqual([{ host: 'web', stage: 'firewall', state: 'skipped', detail }]);
    expect(asked).toHaveLength(1);
  });

  it('of the lab leaves firewalls alone', async () => {
    const asked: Asked[] = [];
    const definition = appSchema.parse(several);
    expect(await lookAtFirewalls(request([at('web', '', asked)], {}), definition, quietContext())).toEqual(
      [],
    );
    expect(asked).toEqual([]);
  });
});
