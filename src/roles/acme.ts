/**
 * Certificates by ACME (RFC 8555): dehydrated gets them, a timer renews them, nginx is reloaded only where
 * one is new.
 */

import { CHALLENGES, ISSUED } from '../contract/proxy-paths.ts';
import type { Resource } from '../host/resource.ts';
import { PROXY_FUNCTIONS } from '../proxy/scripts.ts';
import { withValues } from '../ssh/script.ts';
import program from './acme.sh' with { type: 'text' };
import type { Role } from './role.ts';

/**
 * Renews after two thirds of a certificate's life, as authorities advise. The two files of a certificate
 * change together: the site reads them through a link to their folder. Leaves the reason of a failure in
 * `acme/reason`.
 */
const PROGRAM = `#!/bin/bash
# Made by pipeline: gets or renews the certificate of a site. Usage: acme APP
${PROXY_FUNCTIONS}
${withValues(program, { issued: ISSUED })}`;

const UNIT = `# Made by pipeline.
[Unit]
Description=Certificate of %i by ACME
After=network-online.target nginx.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/local/lib/pipeline/acme %i
TimeoutStartSec=5min
`;

/**
 * Four times a day, at any second of a quarter of it: authorities ask for that. What is not due asks nobody.
 */
const TIMER = `# Made by pipeline.
[Unit]
Description=Certificate of %i by ACME

[Timer]
OnCalendar=00/6:00
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
`;

export const acme: Role = {
  name: 'acme',
  exposures: [],
  resources: (): readonly Resource[] => [
    { kind: 'package', name: 'dehydrated' },
    { kind: 'directory', path: '/var/lib/pipeline' },
    { kind: 'directory', path: '/var/lib/pipeline/acme' },
    { kind: 'directory', path: CHALLENGES },
    { kind: 'directory', path: '/usr/local/lib/pipeline' },
    { kind: 'file', path: '/usr/local/lib/pipeline/acme', content: PROGRAM, mode: '0755' },
    { kind: 'file', path: '/etc/systemd/system/pipeline-acme@.service', content: UNIT },
    { kind: 'file', path: '/etc/systemd/system/pipeline-acme@.timer', content: TIMER },
  ],
};
