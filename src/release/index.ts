/** From an artifact to a live version, and back. */
export { type AuditEntry, audit, whoami } from './audit.ts';
export { deploy } from './deploy.ts';
export { type LockOptions, lockHost, withLock } from './lock.ts';
export { releases } from './releases.ts';
export { rollback } from './rollback.ts';
export { appStatus } from './status.ts';
export type * from './types.ts';
