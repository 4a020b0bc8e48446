/** What `apply` can do, as data. */
import type { CloudChange, CloudPlan, MachineSpec } from '../../provider.ts';
import type { NewFirewall } from '../api/api.ts';

/** One thing that `apply` does, with everything that it needs for it. */
export type Operation =
  | { readonly kind: 'tags'; readonly names: readonly string[] }
  | { readonly kind: 'key' }
  | { readonly kind: 'network'; readonly name: string; readonly region: string }
  | {
      readonly kind: 'firewall';
      readonly id: string | null;
      readonly group: string;
      readonly body: NewFirewall;
    }
  | {
      readonly kind: 'droplets';
      /** Alike in everything but the name; ten at most. */
      readonly machines: readonly MachineSpec[];
      /** Id of their network; null where this plan makes it. */
      readonly network: string | null;
    }
  | { readonly kind: 'power on'; readonly id: number; readonly name: string }
  | { readonly kind: 'rename'; readonly id: number; readonly from: string; readonly to: string }
  | { readonly kind: 'tag'; readonly id: number; readonly name: string; readonly tag: string }
  | { readonly kind: 'first contact'; readonly id: number; readonly name: string }
  /** Cannot be done here: `apply` says how the owner of the account can. */
  | { readonly kind: 'host key'; readonly id: number; readonly name: string }
  | { readonly kind: 'remove droplet'; readonly id: number; readonly name: string; readonly fresh: boolean }
  | { readonly kind: 'remove firewall'; readonly id: string; readonly name: string }
  | { readonly kind: 'remove tags'; readonly names: readonly string[] };

/** An operation together with how people see it. */
export interface Step {
  readonly operation: Operation;
  readonly changes: readonly CloudChange[];
}

export interface DigitalOceanPlan extends CloudPlan {
  readonly operations: readonly Operation[];
}

/** One change as people see it. */
export function change(
  host: string | null,
  step: string,
  action: CloudChange['action'],
  detail: readonly string[],
): CloudChange {
  return { host, step, action, detail };
}
