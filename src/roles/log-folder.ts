/** Where hosts keep the audit log. */
import type { Resource } from '../host/resource.ts';

/** Files in it belong to the group that may read logs: the monitor's agent is in it. */
export const LOG_FOLDER: Resource = {
  kind: 'directory',
  path: '/var/log/pipeline',
  mode: '2755',
  group: 'adm',
};
