/** One private network for each region in which the environment has machines. Pure. */
import type { EnvironmentSpec } from '../../provider.ts';
import type { Vpc } from '../api/answers.ts';
import { freeName, isNameOf, type Marks, networkName } from './names.ts';
import { change, type Step } from './operations.ts';
import { isOurs, type Surveyed } from './survey.ts';

export interface Networks {
  readonly steps: readonly Step[];
  /** The networks that exist already. */
  readonly byRegion: ReadonlyMap<string, Vpc>;
}

export function planNetworks(found: Surveyed, spec: EnvironmentSpec, marks: Marks): Networks {
  const byRegion = new Map<string, Vpc>();
  const steps: Step[] = [];
  for (const region of new Set(spec.machines.map((machine) => machine.region))) {
    const existing = ownNetworks(found, marks).find((vpc) => vpc.region === region);
    if (existing !== undefined) {
      byRegion.set(region, existing);
      continue;
    }
    const name = freeName(
      networkName(marks, region),
      found.vpcs.map((vpc) => vpc.name),
    );
    steps.push({
      operation: { kind: 'network', name, region },
      changes: [change(null, `network ${region}`, 'create', [name])],
    });
  }
  return { steps, byRegion };
}

/**
 * Networks that we made: our name, and our description or droplets of ours in them. A name alone could be
 * anybody's.
 */
export function ownNetworks(found: Pick<Surveyed, 'vpcs' | 'droplets'>, marks: Marks): readonly Vpc[] {
  return found.vpcs.filter(
    (vpc) =>
      isNameOf(networkName(marks, vpc.region), vpc.name) &&
      (vpc.description === marks.description ||
        found.droplets.some((droplet) => droplet.vpc_uuid === vpc.id && isOurs(droplet, marks))),
  );
}
