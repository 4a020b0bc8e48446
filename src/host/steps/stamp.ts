/** What services were last started with and commands last ran with, as the host remembers it. */

import { dependencies, stampPath } from '../fingerprint.ts';
import { id } from '../resource.ts';
import type { Facts } from '../state.ts';
import { type Probe, words } from './step.ts';

export const stampProbe: Probe<Pick<Facts, 'stamps'>> = {
  script: (resources) => {
    const paths = resources
      .filter((resource) => resource.kind === 'firewall' || dependencies(resource).length > 0)
      .map((resource) => stampPath(id(resource)));
    return paths.length === 0 ? '' : `cat ${words(paths)} 2>/dev/null`;
  },
  // One file after another: `id TAB resource`, then `dependency TAB fingerprint`.
  parse: (lines) => {
    const stamps: Record<string, Record<string, string>> = {};
    let current: Record<string, string> | undefined;
    for (const line of lines) {
      const [key = '', value = ''] = line.split('\t');
      if (key === 'id') {
        current = {};
        stamps[value] = current;
      } else if (current !== undefined) current[key] = value;
    }
    return { stamps };
  },
};

/** The content of a stamp file. */
export function stampText(resourceId: string, entries: Readonly<Record<string, string>>): string {
  const lines = Object.entries(entries).map(([key, value]) => `${key}\t${value}\n`);
  return `id\t${resourceId}\n${lines.join('')}`;
}
