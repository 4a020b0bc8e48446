/** Which host runs which side. Pure. */
import type { SideName } from '../../judge/sides.ts';
import type { PerSide } from '../../judge/types.ts';
import type { Lab, LabHost } from '../lab/hosts.ts';
import type { RunPlan } from './plan.ts';

/** The host of each side. */
export function sidesOf(lab: Lab, plan: RunPlan): PerSide<LabHost> {
  const { blue, green } = lab.hosts;
  return plan.baselineColour === 'blue'
    ? { baseline: blue, candidate: green }
    : { baseline: green, candidate: blue };
}

/** The colour of each side, which is the proxy's name for it. */
export type Colours = PerSide<'blue' | 'green'>;

export function coloursOf(plan: RunPlan): Colours {
  return plan.baselineColour === 'blue'
    ? { baseline: 'blue', candidate: 'green' }
    : { baseline: 'green', candidate: 'blue' };
}

/** A value for each colour, from one for each side. */
export function byColour<T>(colours: Colours, value: (side: SideName) => T): { blue: T; green: T } {
  return colours.baseline === 'blue'
    ? { blue: value('baseline'), green: value('candidate') }
    : { blue: value('candidate'), green: value('baseline') };
}
