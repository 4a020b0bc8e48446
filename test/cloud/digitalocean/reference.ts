/** The reference deployment as a cloud sees it. */
import type { EnvironmentSpec, MachineSpec } from '../../../src/cloud/provider.ts';

export function machineSpec(name: string, overrides: Partial<MachineSpec> = {}): MachineSpec {
  return {
    name,
    group: name.replace(/-\d+$/, ''),
    roles: [],
    exposures: [{ port: 22, protocol: 'tcp', from: 'operators' }],
    memoryBytes: 2 ** 30,
    cpus: 1,
    size: 's-1vcpu-1gb',
    region: 'nyc3',
    image: 'debian-12-x64',
    ...overrides,
  };
}

/** The three hosts that the specification describes. */
export function referenceSpec(directory: string, overrides: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  const web = { port: 80, protocol: 'tcp', from: 'anyone' } as const;
  return {
    project: 'shop',
    environment: 'prod',
    owner: '3f2a91c07bd4',
    directory,
    machines: [
      machineSpec('monitor', { exposures: [web, { port: 6379, protocol: 'tcp', from: 'fleet' }] }),
      machineSpec('checkbox', { exposures: [web] }),
      machineSpec('itrust', { exposures: [web], size: 's-1vcpu-2gb' }),
    ],
    operators: ['203.0.113.7/32'],
    authorizedKeys: [],
    ...overrides,
  };
}
