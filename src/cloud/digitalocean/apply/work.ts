/** What everything that acts is handed. */
import type { Context } from '../../../context.ts';
import type { EnvironmentSpec } from '../../provider.ts';
import type { Api } from '../api/api.ts';
import type { Clock } from '../api/clock.ts';
import type { OpenHost } from '../hosts/host.ts';
import type { Marks } from '../plan/names.ts';

export interface Work {
  readonly context: Context;
  readonly spec: EnvironmentSpec;
  readonly marks: Marks;
  readonly api: Api;
  readonly clock: Clock;
  readonly openHost: OpenHost;
}
