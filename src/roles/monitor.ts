/**
 * The host that watches the others: what may reach it. Redis, hub and dashboard are put there by `pipeline
 * monitor setup`.
 */

import type { Role } from './role.ts';

export const monitor: Role = {
  name: 'monitor',
  exposures: [
    { port: 80, protocol: 'tcp', from: 'anyone' },
    { port: 443, protocol: 'tcp', from: 'anyone' },
    { port: 6379, protocol: 'tcp', from: 'fleet' },
  ],
  resources: () => [],
};
