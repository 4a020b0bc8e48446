/**
 * Tables of nftables: loaded in one transaction, kept for the next boot only after a second connection proved
 * that they let us in, and taken back by the host itself where that proof does not come.
 */

import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import { diffLines } from '../diff.ts';
import { fingerprint, sha256, stampPath } from '../fingerprint.ts';
import { type FileResource, type FirewallResource, id, type Resource } from '../resource.ts';
import type { Facts } from '../state.ts';
import guard from './firewall-guard.sh' with { type: 'text' };
import { type Compare, only, type Probe } from './step.ts';
import tableHash from './table-hash.sh' with { type: 'text' };

const FOLDER = '/etc/pipeline/firewall';
/** Loads at boot what lies in the folder, before the network is there. */
const FIREWALL_UNIT = 'pipeline-firewall.service';

const BOOT: readonly FileResource[] = [
  {
    kind: 'file',
    path: '/etc/pipeline/firewall.nft',
    content: `# Made by pipeline. All tables in one transaction.\ninclude "${FOLDER}/*.nft"\n`,
  },
  {
    kind: 'file',
    path: `/etc/systemd/system/${FIREWALL_UNIT}`,
    content: `[Unit]
Description=Firewall (pipeline)
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/pipeline/firewall.nft

[Install]
WantedBy=sysinit.target
`,
  },
];

/** The unit that a firewall needs at boot. */
export function firewallUnits(resources: readonly Resource[]): readonly string[] {
  return only(resources, 'firewall').length === 0 ? [] : [FIREWALL_UNIT];
}

/** The files that a firewall keeps for the next boot. */
export function firewallFiles(resources: readonly Resource[]): readonly FileResource[] {
  const tables = only(resources, 'firewall');
  return tables.length === 0 ? [] : [...BOOT, ...tables.map(rulesFile)];
}

function rulesFile(resource: FirewallResource): FileResource {
  return { kind: 'file', path: `${FOLDER}/${slug(resource)}.nft`, content: ruleset(resource) };
}

const slug = ({ table }: FirewallResource) => table.replaceAll(/[^A-Za-z0-9_]/g, '-');

/** Declared, deleted, made anew: one transaction, whether the table is there or not. */
function ruleset({ table, rules }: FirewallResource): string {
  const anew = `table ${table}\ndelete table ${table}\ntable ${table}`;
  return `# Made by pipeline.\n${anew} {\n${rules.trimEnd()}\n}\n`;
}

/** The file that keeps a table for the next boot. */
export function firewallFile(table: string): string {
  return rulesFile({ kind: 'firewall', table, rules: '' }).path;
}

/** The rules in such a file; undefined: it is none of ours. */
export function rulesIn(table: string, text: string): string | undefined {
  const [head = '', tail = ''] = ruleset({ kind: 'firewall', table, rules: SEAM }).split(SEAM);
  const own = text.startsWith(head) && text.endsWith(tail) && text.length >= head.length + tail.length;
  return own ? `${text.slice(head.length, text.length - tail.length)}\n` : undefined;
}
const SEAM = '@';

export const firewallProbe: Probe<Pick<Facts, 'firewalls'>> = {
  script: (resources) =>
    only(resources, 'firewall')
      .map(({ table }, index) => `printf '${index}\\t%s\\n' "$(table_hash ${quote(table)})"`)
      .join('\n'),
  parse: (lines, resources) => {
    const hashes = new Map(lines.map((line) => line.split('\t') as [string, string]));
    return {
      firewalls: Object.fromEntries(
        only(resources, 'firewall').map(({ table }, index) => [table, hashes.get(String(index)) ?? '']),
      ),
    };
  },
};

/** Bash: the function that tells how a table is loaded. */
export const TABLE_HASH = tableHash;

export const compareFirewall: Compare<FirewallResource> = (resource, facts) => {
  const { path, content } = rulesFile(resource);
  const stale = [...BOOT, rulesFile(resource)].filter(
    (file) => facts.paths[file.path]?.sha256 !== sha256(file.content),
  );
  const live = facts.firewalls[resource.table] ?? '';
  const stamp = facts.stamps[id(resource)];
  const loaded = live !== '' && stamp?.live === live && stamp.rules === fingerprint(resource);
  const atBoot = stale.length === 0 && facts.services[FIREWALL_UNIT]?.enabled === 'enabled';
  if (loaded && atBoot) return undefined;
  const fact = facts.paths[path];
  const diff = fact?.sha256 === sha256(content) ? [] : diffLines(fact?.content, content);
  return {
    action: 'load',
    diff,
    reason: diff.length > 0 ? undefined : driftOf(live, loaded),
    doing: 'loading the firewall',
    script: loadScript(resource),
  };
};

function driftOf(live: string, loaded: boolean): string {
  if (live === '') return 'the table is not loaded';
  return loaded ? 'it is not loaded at boot' : 'the loaded table is not the one that was put there';
}

/**
 * New rules are tried under the guard of a unit that outlives this connection. The guard ends with the rules
 * confirmed and kept for the next boot, or with the old ones back; `load_firewall` waits for either, and asks
 * the other side (marker `probe`) to connect anew.
 */
function loadScript(resource: FirewallResource): string {
  const name = slug(resource);
  const kept = [...BOOT, rulesFile(resource)];
  const guarding = withValues(guard, {
    run: `/run/pipeline/firewall-${name}`,
    table: resource.table,
    unit: FIREWALL_UNIT,
    stamp: stampPath(id(resource)),
    remembered: `id\t${id(resource)}\nrules\t${fingerprint(resource)}\n`,
    files: kept.map(({ path }) => path),
    texts: kept.map(({ content }) => content),
  });
  const words = [name, resource.table, ruleset(resource), `${TABLE_HASH}${guarding}`];
  return `load_firewall ${words.map(quote).join(' ')}`;
}
