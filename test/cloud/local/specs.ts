import type { EnvironmentSpec, MachineSpec } from '../../../src/cloud/provider.ts';

export { machineSpec } from '../../support/hosts.ts';

/** A specification for tests that touch nothing. */
export function testSpec(
  differs: Partial<EnvironmentSpec> & { machines?: readonly MachineSpec[] } = {},
): EnvironmentSpec {
  return {
    project: 'shop',
    environment: 'prod',
    owner: 'team',
    directory: '/project',
    machines: [],
    operators: [],
    authorizedKeys: [],
    ...differs,
  };
}
