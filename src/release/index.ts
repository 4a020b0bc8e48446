/** From an artifact to a live version, and back. */
export { runInRelease } from './console/console.ts';
export { deploy } from './deploy.ts';
export { releases } from './look/releases.ts';
export { appStatus } from './look/status.ts';
export { closeForRestore, closeSite, openAfterRestore, openSite } from './maintenance/maintenance.ts';
export { restart } from './restart.ts';
export { rollback } from './rollback.ts';
export { readKept, resolveSecrets } from './secrets.ts';
export { convergeHost, planFreshHost, type WantedHost } from './send/serving-host.ts';
export type * from './types.ts';
