/** What everything that acts is handed. */
import type { Context } from '../../context.ts';
import type { EnvironmentSpec } from '../provider.ts';
import type { Api } from './api.ts';
import type { Clock } from './clock.ts';
import type { OpenHost } from './host.ts';
import type { Marks } from './names.ts';

export interface Work {
  readonly context: Context;
  readonly spec: EnvironmentSpec;
  readonly marks: Marks;
  readonly api: Api;
  readonly clock: Clock;
  readonly openHost: OpenHost;
}
