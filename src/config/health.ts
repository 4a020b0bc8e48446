/** Where an application is asked whether it is well. Pure. */
import type { AppConfig, HealthCheck } from './schema.ts';

/**
 * The path of its health check. A host's root is outside of a context: there Tomcat would answer 404 whatever
 * the application does.
 */
export function healthPath({ health, context = '/' }: Pick<AppConfig, 'health' | 'context'>): string {
  return health.path === '/' && context !== '/' ? `${context}/` : health.path;
}

/**
 * How long a new version may take to become healthy, in milliseconds. Java takes long, and where Tomcat gives
 * an application up nobody waits.
 */
export function healthWithin(health: HealthCheck, runtime: NonNullable<AppConfig['runtime']>): number {
  return health.within ?? (runtime === 'tomcat' ? 120_000 : 30_000);
}
