/** What keeps requests on a host behind a balancer while it comes and goes. */

import { ONHOST } from '../contract/places.ts';
import { SITES } from '../contract/proxy-paths.ts';
import type { Resource } from '../host/resource.ts';
import { BALANCED } from '../proxy/trust.ts';

/** Their files, as the shell finds them. */
const BALANCED_SITES = `$(grep -ls '^ *${BALANCED}$' ${SITES}/*.conf)`;

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
 * Before nginx stops: it closes its socket with the connections that still wait there, and a POST on one of them would be lost. Refused before that, a
 * connection goes to another host. The rules expire by themselves, so that nothing is kept from the ports for longer.
 */
const DOOR = `#!/bin/bash
# Made by pipeline: refuses new connections to sites behind a balancer before nginx stops.
case $1 in
  open) nft delete table inet pipeline_door 2>/dev/null || true ;;
  close)
    ports=$(sed -n 's/^ *listen \\(\\[::\\]:\\)\\{0,1\\}\\([0-9]\\{1,\\}\\).*/\\2/p' /dev/null ${BALANCED_SITES} | sort -u | paste -sd,)
    [ -n "$ports" ] || exit 0
    nft -f - <<END && sleep 0.3
table inet pipeline_door {
  set ports {
    type inet_service
    flags timeout
    timeout 15s
    elements = { $ports }
  }
  chain input {
    type filter hook input priority -10; policy accept;
    tcp flags & (syn | ack) == syn tcp dport @ports reject with tcp reset
  }
}
END
    ;;
esac
`;

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
