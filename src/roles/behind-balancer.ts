/** What keeps requests on a host behind a balancer while it comes and goes. */

import { ONHOST } from '../contract/places.ts';
import { SITES } from '../contract/proxy-paths.ts';
import type { Resource } from '../host/resource.ts';
import { BALANCED } from '../proxy/trust.ts';
import { withValues } from '../ssh/script.ts';
import door from './door.sh' with { type: 'text' };

/** At boot: a request that comes too early would be lost where it must not be repeated (onhost/ready.ts). */
const READY_UNIT = `# Made by pipeline.
[Unit]
Description=Applications behind a balancer answer
Before=nginx.service
ConditionPathExists=${ONHOST}/current

[Service]
Type=oneshot
ExecStart=-${ONHOST}/node/bin/node ${ONHOST}/current ready

[Install]
WantedBy=multi-user.target
`;

/**
 * Before nginx stops: it closes its socket with the connections that still wait there, and a POST on one of
 * them would be lost. Refused before that, a connection goes to another host. The rules expire by themselves,
 * so that nothing is kept from the ports for longer.
 */
const DOOR = `#!/bin/bash\n# Made by pipeline.\n${withValues(door, { sites: SITES, balanced: BALANCED })}`;

const DOOR_UNIT = `# Made by pipeline.
[Unit]
Description=Connections to sites behind a balancer
After=nginx.service
PartOf=nginx.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/pipeline/door open
ExecStop=-/usr/local/lib/pipeline/door close

[Install]
WantedBy=multi-user.target nginx.service
`;

export const BEHIND_BALANCER: readonly Resource[] = [
  { kind: 'file', path: '/etc/systemd/system/pipeline-ready.service', content: READY_UNIT },
  { kind: 'service', unit: 'pipeline-ready.service', enabled: true, state: 'ignored' },
  { kind: 'file', path: '/usr/local/lib/pipeline/door', content: DOOR, mode: '0755' },
  { kind: 'file', path: '/etc/systemd/system/pipeline-door.service', content: DOOR_UNIT },
  { kind: 'service', unit: 'pipeline-door.service', enabled: true },
];
