/**
 * Debian packages: those that belong together come in one transaction, and their services wait for their
 * configuration.
 */

import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import type { PackageResource, Resource } from '../resource.ts';
import type { Facts } from '../state.ts';
import script from './package-facts.sh' with { type: 'text' };
import { type Compare, type Difference, only, type Probe, words } from './step.ts';

/**
 * Keeps services from starting while packages are installed; the marker in it tells it from somebody else's.
 */
export const POLICY_FILE = '/usr/sbin/policy-rc.d';
export const POLICY_MARKER = 'made by pipeline';

export const packageProbe: Probe<Pick<Facts, 'packages' | 'interrupted'>> = {
  script: (resources) => {
    const names = only(resources, 'package').map(({ name }) => name);
    return withValues(script, { names, policy_file: POLICY_FILE, policy_marker: POLICY_MARKER });
  },
  parse: (lines, resources) => {
    const packages: Record<string, Facts['packages'][string]> = Object.fromEntries(
      only(resources, 'package').map(({ name }) => [name, 'absent']),
    );
    for (const line of lines) {
      const [status = '', name = ''] = line.split('\t');
      if (name !== '' && packages[name] !== 'installed') packages[name] = stateOf(status);
    }
    return { packages, interrupted: lines.includes('interrupted') };
  },
};

/** From dpkg's two letters (wanted, is) and its error flag: `ii `, `rc `, `iF `, `iHR`. */
function stateOf(status: string): Facts['packages'][string] {
  const is = status[1] ?? 'n';
  if (is === 'n' || is === 'c') return 'absent';
  return is === 'i' && (status[2] ?? ' ') === ' ' ? 'installed' : 'broken';
}

export const comparePackage: Compare<PackageResource> = ({ name, state = 'installed' }, facts) => {
  const is = facts.packages[name] ?? 'absent';
  if (is === state) return undefined;
  const word = state === 'absent' ? `${name}-` : name;
  return {
    action: state === 'absent' ? 'remove' : is === 'broken' ? 'repair' : 'install',
    diff: is === 'broken' ? ['-half installed', `+${state}`] : [],
    doing: `${state === 'absent' ? 'removing' : 'installing'} ${name}`,
    script: word,
  };
};

/**
 * The bash of one transaction. `differences` are those of its packages; `held` are units that may not start
 * meanwhile.
 */
export function transaction(differences: readonly Difference[], held: readonly string[]): string {
  const removes = differences.some(({ action }) => action === 'remove');
  // Where nothing is to be removed, apt must not do so either to make room for what is installed.
  const hold = held.length === 0 ? '' : `hold ${words(held)}\n`;
  const names = differences.map(({ script }) => quote(script)).join(' ');
  return `${hold}packages ${removes ? '--' : '--no-remove'} ${names}`;
}

/**
 * The units whose start belongs to this program: not running now, and with a service resource that says what
 * they shall be.
 */
export function heldUnits(resources: readonly Resource[], facts: Facts): readonly string[] {
  return only(resources, 'service')
    .filter(({ unit, state }) => state !== 'ignored' && facts.services[unit]?.active !== 'active')
    .map(({ unit }) => unit);
}

/** Finishes what an interrupted installation left. */
export const REPAIR: Difference = {
  action: 'repair',
  diff: [],
  reason: 'an installation was interrupted',
  doing: 'finishing an interrupted installation',
  script: 'repair_packages',
};
