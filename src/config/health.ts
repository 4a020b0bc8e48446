/** Where an application is asked whether it is well. Pure. */
import type { AppConfig } from './schema.ts';

/** The path of its health check. A host's root is outside of a context: there Tomcat would answer 404 whatever the application does. */
export function healthPath({ health, context = '/' }: Pick<AppConfig, 'health' | 'context'>): string {
  return health.path === '/' && context !== '/' ? `${context}/` : health.path;
}
