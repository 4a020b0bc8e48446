/** From an artifact to a live version, and back. */
export { deploy } from './deploy.ts';
export { releases } from './releases.ts';
export { rollback } from './rollback.ts';
export { convergeHost, planFreshHost, type WantedHost } from './serving-host.ts';
export { appStatus } from './status.ts';
export type * from './types.ts';
