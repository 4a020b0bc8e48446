/**
 * What a host needs before applications are deployed to it: the tools of a deploy, and networks for instances
 * that need one of their own.
 */

import { ONHOST } from '../contract/places.ts';
import type { Resource } from '../host/resource.ts';
import { BEHIND_BALANCER } from './behind-balancer.ts';
import forward from './forward.sh' with { type: 'text' };
import { JOB_UNITS } from './jobs.ts';
import { LOG_FOLDER } from './log-folder.ts';
import network from './network.sh' with { type: 'text' };
import type { Role } from './role.ts';

/**
 * The range that instances' networks are cut from (RFC 2544: benchmarks of network devices, so nobody routes
 * it).
 */
const INSTANCE_RANGE = '198.18.0.0/16';
/** The same networks where the host has IPv6 alone (network.sh). RFC 4193: nobody routes it either. */
const INSTANCE_RANGE_6 = 'fd70:6970:656c::/48';
/** Interfaces on the host's side of those networks. */
const INSTANCE_LINKS = 'pln*';

/**
 * A network namespace with one cable to the host (network.sh). Answers go back; what begins inside goes out
 * under the host's address; the host itself is closed to it, as are other instances.
 */
const NETWORK_UNIT = `# Made by pipeline.
[Unit]
Description=Network of %i
After=network.target nftables.service docker.service ufw.service firewalld.service

[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/pipeline/networks/%i
ExecStart=/usr/local/lib/pipeline/network up
ExecStartPost=-/usr/local/lib/pipeline/forward
ExecStop=/usr/local/lib/pipeline/network down
`;

const INSTANCE_RULES = `  chain input {
    type filter hook input priority filter - 1
    policy accept
    iifname "${INSTANCE_LINKS}" ct state established,related accept
    iifname "${INSTANCE_LINKS}" meta l4proto { icmp, 58 } accept
    iifname "${INSTANCE_LINKS}" drop
  }

  chain forward {
    type filter hook forward priority filter
    policy accept
    oifname "${INSTANCE_LINKS}" ct state established,related accept
    oifname "${INSTANCE_LINKS}" drop
  }

  chain postrouting {
    type nat hook postrouting priority srcnat
    policy accept
    ip saddr ${INSTANCE_RANGE} oifname != "${INSTANCE_LINKS}" masquerade
    ip6 saddr ${INSTANCE_RANGE_6} oifname != "${INSTANCE_LINKS}" masquerade
  }
`;

/** The audit log is kept for two years. */
const ROTATION = `# Made by pipeline.
/var/log/pipeline/audit.jsonl {
  monthly
  maxsize 20M
  rotate 24
  missingok
  notifempty
}
`;

/**
 * The watch over a new release (onhost/guard.ts). Killed, it goes on; failed, it stays so that people are
 * called.
 */
const GUARD_UNIT = `# Made by pipeline.
[Unit]
Description=First minute of a new release of %i
After=network.target nginx.service

[Service]
ExecStart=${ONHOST}/node/bin/node ${ONHOST}/current guard %i
Restart=on-abnormal
RestartSec=1s
`;

/** It stands beside two versions of an application on what may be a small host. */
const ROLLOUT_FLAGS = '--lite-mode --max-semi-space-size=1 --max-old-space-size=40 --v8-pool-size=1';

/**
 * A rollout under way (onhost/rollout). Whatever ends it but itself, it goes on: both versions serve
 * meanwhile.
 */
const ROLLOUT_SERVICE = `# Made by pipeline.
[Unit]
Description=Rollout of a new release of %i
After=network.target nginx.service
StartLimitIntervalSec=0

[Service]
ExecStart=${ONHOST}/node/bin/node ${ROLLOUT_FLAGS} ${ONHOST}/current rollout %i
Restart=on-failure
RestartSec=1s
Nice=5
`;

/** What a balancer needs besides nginx. */
export const ROLLOUT_UNIT: Resource = {
  kind: 'file',
  path: '/etc/systemd/system/pipeline-rollout@.service',
  content: ROLLOUT_SERVICE,
};

export const nodeService: Role = {
  name: 'node-service',
  exposures: [],
  resources: (): readonly Resource[] => [
    { kind: 'package', name: 'curl' },
    // Node from 25 on is linked against it.
    { kind: 'package', name: 'libatomic1' },
    { kind: 'package', name: 'iproute2' },
    { kind: 'package', name: 'procps' },
    { kind: 'package', name: 'nftables' },
    { kind: 'package', name: 'logrotate' },
    { kind: 'directory', path: '/etc/pipeline' },
    { kind: 'directory', path: '/etc/pipeline/apps' },
    { kind: 'directory', path: '/etc/pipeline/networks' },
    LOG_FOLDER,
    { kind: 'directory', path: '/var/lib/pipeline' },
    { kind: 'directory', path: '/var/lib/pipeline/incoming', mode: '0700' },
    { kind: 'file', path: '/etc/logrotate.d/pipeline-audit', content: ROTATION },
    { kind: 'directory', path: '/usr/local/lib/pipeline' },
    { kind: 'file', path: '/usr/local/lib/pipeline/network', content: network, mode: '0755' },
    { kind: 'file', path: '/usr/local/lib/pipeline/forward', content: forward, mode: '0755' },
    { kind: 'file', path: '/etc/systemd/system/pipeline-network@.service', content: NETWORK_UNIT },
    { kind: 'file', path: '/etc/systemd/system/pipeline-guard@.service', content: GUARD_UNIT },
    ROLLOUT_UNIT,
    ...BEHIND_BALANCER,
    ...JOB_UNITS,
    { kind: 'firewall', table: 'inet pipeline_instances', rules: INSTANCE_RULES },
  ],
};
