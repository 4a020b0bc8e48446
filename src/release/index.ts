/** From an artifact to a live version, and back. */
export { deploy } from './deploy.ts';
export { releases } from './look/releases.ts';
export { appStatus } from './look/status.ts';
export { rollback } from './rollback.ts';
export { readKept } from './secrets.ts';
export { convergeHost, planFreshHost, type WantedHost } from './send/serving-host.ts';
export type * from './types.ts';
