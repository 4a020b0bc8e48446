/** What somebody else may have on a host that a role would change: as resources that look for it. */

import type { Resource, TheirsResource } from '../host/resource.ts';
import { type Value, withValues } from '../ssh/script.ts';
import portTaken from './port-taken.sh' with { type: 'text' };
import stock from './stock.sh' with { type: 'text' };

/** A program that prints a line for each thing of somebody else's; it may ask `is_stock FILE`. */
export function look(program: string, values: Readonly<Record<string, Value>>): string {
  return withValues(`${stock}${program}`, values);
}

/** A port that a unit cannot share with another program. */
export function portFor(unit: string, port: number): TheirsResource {
  return {
    kind: 'theirs',
    name: `port ${port}`,
    look: withValues(portTaken, { port: String(port), unit }),
    fate: 'stop',
    says: `${unit.replace(/\.service$/, '')} needs it, and another program listens there`,
    next: 'Stop that program or give it another port, or take another host. Then run the command again.',
  };
}

/** The resources, each leaving alone what `theirs` finds. */
export function sparing(theirs: TheirsResource, resources: readonly Resource[]): readonly Resource[] {
  return [theirs, ...resources.map((one) => ({ ...one, spares: [...(one.spares ?? []), theirs.name] }))];
}
