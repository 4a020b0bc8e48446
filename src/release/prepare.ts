/** Makes a host ready for applications, where it is not: once, and again when what is needed has changed. */
import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { converge } from '../host/converge.ts';
import { rolesFor } from '../roles/index.ts';
import type { AppFacts } from './facts.ts';
import { APPS } from './places.ts';
import type { ReleaseHost } from './types.ts';

/** The roles ask for nothing that only the whole environment knows. */
const PARAMS = { fleet: [], operators: [], sshPorts: [], exposures: [] };

/** Fingerprint of what the role makes of a host; kept there. */
export function preparation(): string {
  return createHash('sha256')
    .update(JSON.stringify(rolesFor('node-service', PARAMS)))
    .digest('hex')
    .slice(0, 16);
}

/** nginx is left as it is where it is there with pipeline's folder for sites. */
export async function prepare(host: ReleaseHost, facts: AppFacts, context: Context): Promise<void> {
  const wanted = preparation();
  if (facts.prepared === wanted && facts.missing.length === 0) return;
  const proxy = facts.missing.some((one) => one === 'nginx' || one === 'sites');
  context.progress({ host: host.name, stage: 'prepare', state: 'started' });
  const resources = [...(proxy ? rolesFor('nginx', PARAMS) : []), ...rolesFor('node-service', PARAMS)];
  await converge(host.connection, resources, context);
  await host.connection.check(`echo ${wanted} >${APPS}/.prepared`, {
    label: 'prepared for applications',
    signal: context.signal,
  });
  context.progress({ host: host.name, stage: 'prepare', state: 'done' });
}
