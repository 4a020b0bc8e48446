/** One word each for how something is. Pure. */
import { age } from '../../../format.ts';
import type { Health, Overview, OverviewApp, OverviewHost } from '../../api-types.ts';
import { figure, plural } from './format.ts';
import { byHealth, matches } from './sort.ts';

export const HEALTH_WORDS: Readonly<Record<Health, string>> = {
  well: 'well',
  look: 'worth a look',
  broken: 'broken',
};

/** Hosts that are silent for longer are shown as such. */
const SILENT_SECONDS = 20;

/** At most this many names are listed. */
const NAMED = 2;

/** The overall state, in a sentence. */
export function wholeSentence({ hosts, apps }: Pick<Overview, 'hosts' | 'apps'>): string {
  if (hosts.length === 0) return 'No hosts yet';
  const parts = (['broken', 'look'] as const).flatMap((health) => {
    const names = [...hosts, ...apps].filter((one) => one.health === health).map(({ name }) => name);
    const unique = [...new Set(names)];
    const told = unique.length > NAMED ? String(names.length) : unique.join(' and ');
    return unique.length === 0
      ? []
      : [`${told} ${unique.length === 1 ? 'is' : 'are'} ${HEALTH_WORDS[health]}`];
  });
  return parts.length === 0 ? 'All is well' : parts.join(', ');
}

/** What is there. */
export function fleetLine({ hosts, apps }: Pick<Overview, 'hosts' | 'apps'>): string {
  return [plural(hosts.length, 'host'), plural(apps.length, 'application')].join(' · ');
}

/** What is unusual about a host; empty: nothing. */
export function hostRemarks(host: OverviewHost): readonly string[] {
  const remarks: string[] = [];
  if (host.silentSeconds === null) remarks.push('never heard');
  else if (host.silentSeconds > SILENT_SECONDS) remarks.push(`silent for ${age(host.silentSeconds * 1000)}`);
  const ahead = Math.abs(host.clockAhead);
  if (ahead > 2)
    remarks.push(`clock ${figure(ahead, 'number')} s ${host.clockAhead > 0 ? 'ahead' : 'behind'}, corrected`);
  if (host.refused > 0) remarks.push(`${plural(host.refused, 'sample')} refused: ${host.refusal}`);
  if (host.lost > 0) remarks.push(`${plural(host.lost, 'sample')} lost`);
  return remarks;
}

/** An application's figures of the last minute in a line. */
export function appLine(app: OverviewApp): string {
  return app.hosts.length === 0 ? 'no requests within the last minute' : `served by ${app.hosts.join(', ')}`;
}

/** Hosts or applications that a search finds by name or by how they are, trouble first. */
export function found<T extends { readonly name: string; readonly health: Health }>(
  items: readonly T[],
  search: string,
): readonly T[] {
  return byHealth(items).filter(({ name, health }) => matches(search, name, HEALTH_WORDS[health]));
}
