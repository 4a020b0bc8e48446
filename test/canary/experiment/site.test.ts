import { expect, it } from 'vitest';
import { planRun } from '../../../src/canary/experiment/plan.ts';
import type { LabHost } from '../../../src/canary/lab/hosts.ts';
import { siteOf } from '../../../src/canary/lab/site.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { siteConfig } from '../../../src/proxy/site.ts';

it.each([
  [undefined, true],
  [false, true],
  [true, false],
])('the proxy of an experiment, whose kernel lacks IPv6: %s, listens on [::]: %s', (noIpv6, listens) => {
  const values = configSchema.parse({
    project: 'test',
    hosts: { web: {} },
    apps: { preview: { source: 'x', hosts: ['web'], canary: { requests: [{ path: '/' }] } } },
  });
  const options = { baseline: 'a', candidate: 'b', seed: 1, keep: false, rate: 1, durationMs: 60_000 };
  const plan = planRun({ ...values, path: '/p/pipeline.yml', directory: '/p' }, options);
  const side = { address: '192.0.2.1' } as LabHost;
  const site = siteOf(plan, { baseline: side, candidate: side }, 3000, [], noIpv6);
  expect(siteConfig(site).includes('listen [::]:80')).toBe(listens);
});
