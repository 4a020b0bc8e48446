/** The host as a whole: what `when` decides by, and whether it is one of those we know. */

import { Failure } from '../../errors.ts';
import type { Facts, HostFacts } from '../state.ts';
import script from './host-facts.sh' with { type: 'text' };
import type { Probe } from './step.ts';

/** The oldest releases that are supported. */
const SUPPORTED: Readonly<Record<string, number>> = { debian: 12, ubuntu: 22.04 };

export const hostProbe: Probe<{ readonly host: Omit<HostFacts, 'name'> }> = {
  script: () => script,
  parse: (lines) => {
    const found = new Map<string, string[]>();
    for (const line of lines) {
      const [key = '', ...values] = line.split('\t');
      found.set(key, key === 'memory' ? [...(found.get(key) ?? []), ...values] : values);
    }
    const text = (key: string, index = 0) => found.get(key)?.[index] ?? '';
    const [free = 0, total = 0, block = 0] = text('filesystem').split(' ').map(Number);
    const limits = (found.get('memory') ?? [])
      .map(Number)
      .filter((bytes) => Number.isFinite(bytes) && bytes > 0);
    return {
      host: {
        os: text('os'),
        version: text('os', 1),
        codename: text('os', 2),
        architecture: text('architecture'),
        memoryBytes: limits.length === 0 ? 0 : Math.min(...limits),
        cpus: Number(text('cpus')),
        disk: { freeBytes: free * block, totalBytes: total * block },
        cgroup: text('cgroup') === 'cgroup2fs' ? 2 : 1,
        systemd: found.has('systemd'),
        container: text('container'),
        clock: clockOf(text('clock')),
        ...(found.has('no-ipv6') ? { noIpv6: true } : {}),
      },
    };
  },
};

function clockOf(text: string): HostFacts['clock'] {
  return text === 'timesyncd' || text === 'chrony' || text === 'ntp' ? text : '';
}

/** @throws Failure `host` where the host is none that roles are written for. */
export function requireSupported({ host }: Pick<Facts, 'host'>): void {
  const oldest = SUPPORTED[host.os];
  // Testing and unstable have no VERSION_ID: newer than every release.
  const old = oldest !== undefined && host.version !== '' && Number(host.version) < oldest;
  if (oldest === undefined || old) {
    const what = [host.os === '' ? 'an unknown system' : host.os, host.version].join(' ').trim();
    throw new Failure('host', `${host.name} runs ${what}, which is not supported`, {
      host: host.name,
      next: 'Give it Debian 12 or newer, or Ubuntu 22.04 or newer.',
    });
  }
  if (!host.systemd) {
    throw new Failure('host', `${host.name} does not run systemd`, {
      host: host.name,
      next:
        'Services are run by systemd: use an ordinary virtual machine, ' +
        'or a container that boots systemd.',
    });
  }
}
