/**
 * What `plan` shows and `up` does: the provider's changes and each host's, in one list, for people and for
 * `--json`.
 */
import type { CloudPlan } from '../cloud/provider.ts';
import type { Change, Theirs } from '../host/plan.ts';
import { theirsLines } from '../host/theirs.ts';
import { type Colors, counted } from './output.ts';

/**
 * One entry of `changes[]` in the JSON of `prod plan` and `prod up`. `host` is null for what the hosts
 * share.
 */
export interface ChangeEntry {
  readonly host: string | null;
  readonly step: string;
  readonly action: string;
}

/** The changes of one host, or none. */
export interface HostChanges {
  readonly host: string;
  readonly changes: readonly Change[];
  /** What somebody else has there, as far as the changes concern it; absent: the host is new. */
  readonly theirs?: readonly Theirs[] | undefined;
}

export function changeEntries(
  cloud: Pick<CloudPlan, 'changes'>,
  hosts: readonly HostChanges[],
): ChangeEntry[] {
  return [
    ...cloud.changes.map(({ host, step, action }) => ({ host, step, action })),
    ...hosts.flatMap(({ host, changes }) => changes.map(({ id, action }) => ({ host, step: id, action }))),
  ];
}

/** What becomes of what somebody else has, in one word. */
const FATES = { keep: 'keep', ask: 'yours', stop: 'stop' } as const satisfies Record<Theirs['fate'], string>;

/**
 * The plan as people read it: a block for each host, with diffs; `same` where nothing is to do. What somebody
 * else has comes last, where the eye is.
 */
export function planLines(
  cloud: Pick<CloudPlan, 'changes' | 'warnings'>,
  hosts: readonly HostChanges[],
  colors: Colors,
): string[] {
  const lines: string[] = [];
  const width = Math.max(
    8,
    ...hosts.map(({ host }) => host.length),
    ...cloud.changes.map(({ host }) => host?.length ?? 0),
  );
  const block = (name: string, action: string, what: string, detail: readonly string[]) => {
    lines.push(`${name.padEnd(width)}  ${paint(action, colors)}  ${what}`);
    lines.push(...detail.map((line) => `${' '.repeat(width)}    ${paintDiff(line, colors)}`));
  };
  for (const change of cloud.changes)
    block(change.host ?? '(shared)', change.action, change.step, change.detail);
  for (const { host, changes } of hosts) {
    for (const change of changes) {
      const reason = change.reason === undefined ? '' : colors.dim(`  (${change.reason})`);
      block(host, change.action, `${change.id}${reason}`, change.diff);
    }
    const untouched = changes.length === 0 && !cloud.changes.some((change) => change.host === host);
    if (untouched) lines.push(`${host.padEnd(width)}  ${colors.dim('same')}`);
  }
  for (const { host, theirs = [] } of hosts) {
    for (const one of theirs) {
      const [what = '', ...found] = theirsLines(one);
      block(host, FATES[one.fate], what, found);
    }
  }
  lines.push(...cloud.warnings.map((warning) => `${colors.yellow('warning:')} ${warning}`));
  return lines;
}

/** `Cost: $18.00 a month, $12.00 more than now.` Nothing where hosts cost nothing. */
export function costLines({ cost }: Pick<CloudPlan, 'cost'>): string[] {
  if (cost === undefined) return [];
  const dollars = (amount: number) => `$${Math.abs(amount).toFixed(2)}`;
  const change =
    cost.change === 0 ? 'as now' : `${dollars(cost.change)} ${cost.change > 0 ? 'more' : 'less'} than now`;
  return [`Cost: ${dollars(cost.after)} a month, ${change} (US dollars, without traffic and taxes).`];
}

/** `52 changes on 3 hosts`. */
export function changeSummary(entries: readonly ChangeEntry[]): string {
  const hosts = new Set(entries.flatMap(({ host }) => (host === null ? [] : [host])));
  const where = hosts.size === 0 ? '' : ` on ${counted(hosts.size, 'host')}`;
  return `${counted(entries.length, 'change')}${where}`;
}

const GOOD = new Set(['create', 'install', 'enable', 'start', 'load', 'run']);
const BAD = new Set(['remove', 'delete', 'disable', 'stop', 'replace']);
const CALM = new Set<string>([FATES.keep]);

function paint(action: string, colors: Colors): string {
  const word = action.padEnd(7);
  if (GOOD.has(action)) return colors.green(word);
  if (CALM.has(action)) return colors.dim(word);
  return BAD.has(action) ? colors.red(word) : colors.yellow(word);
}

function paintDiff(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.green(line);
  return line.startsWith('-') ? colors.red(line) : colors.dim(line);
}
