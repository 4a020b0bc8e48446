/**
 * Other programs' firewalls on this machine. nftables tables cannot overrule each other: what Docker, ufw or
 * firewalld drops, no rule of ours brings back. So the bridge is admitted in their own places, and expelled
 * at the end.
 */
import type { Context } from '../../context.ts';
import { mustRun, outputOf, run } from './run.ts';

/** What `iptables --list-rules` and `firewall-cmd` say, as far as it matters. */
export interface ForeignFirewalls {
  /** Rules of the filter table in `iptables -S` format; empty without iptables. */
  readonly rules: readonly string[];
  readonly firewalld: boolean;
}

/**
 * The iptables chain that admits a bridge: Docker's for users, which it evaluates first; else FORWARD where
 * that drops by default (ufw).
 */
function admittingChain(rules: readonly string[]): string | undefined {
  if (rules.includes('-N DOCKER-USER')) return 'DOCKER-USER';
  return rules.some((rule) => /^-P FORWARD (DROP|REJECT)$/.test(rule)) ? 'FORWARD' : undefined;
}

/** Rules of any chain that mention the bridge, as arguments that delete them. */
export function deletions(rules: readonly string[], bridge: string): string[][] {
  return rules
    .map((rule) => rule.split(' '))
    .filter(
      ([verb, , direction, device]) =>
        verb === '-A' && (direction === '-i' || direction === '-o') && device === bridge,
    )
    .map((words) => ['-D', ...words.slice(1)]);
}

/** The rules that are missing, as arguments that insert them. */
export function insertions(rules: readonly string[], bridge: string): string[][] {
  const chain = admittingChain(rules);
  if (chain === undefined) return [];
  return ['-i', '-o']
    .filter((direction) => !rules.includes(`-A ${chain} ${direction} ${bridge} -j ACCEPT`))
    .map((direction) => ['-I', chain, direction, bridge, '-j', 'ACCEPT']);
}

/** Whether nothing is to be inserted with iptables; firewalld is slow to ask, and is not. */
export async function isAdmitted(context: Context, bridge: string): Promise<boolean> {
  return insertions(await iptablesRules(context), bridge).length === 0;
}

export async function admitBridge(context: Context, bridge: string, lock: number): Promise<void> {
  const found = await look(context);
  for (const rule of insertions(found.rules, bridge)) {
    await mustRun(context, 'network', 'iptables', ['-w', ...rule], { lock });
  }
  if (found.firewalld) {
    await mustRun(
      context,
      'network',
      'firewall-cmd',
      ['--quiet', '--zone=trusted', `--change-interface=${bridge}`],
      { lock },
    );
  }
}

export async function expelBridge(context: Context, bridge: string, lock: number): Promise<void> {
  const found = await look(context);
  const rules = deletions(found.rules, bridge);
  for (const rule of rules) await mustRun(context, 'network', 'iptables', ['-w', ...rule], { lock });
  if (!found.firewalld) return;
  const { exitCode } = await run(context, 'firewall-cmd', [
    '--quiet',
    '--zone=trusted',
    `--query-interface=${bridge}`,
  ]);
  if (exitCode !== 0) return;
  await mustRun(
    context,
    'network',
    'firewall-cmd',
    ['--quiet', '--zone=trusted', `--remove-interface=${bridge}`],
    { lock },
  );
}

async function look(context: Context): Promise<ForeignFirewalls> {
  const [rules, firewalld] = await Promise.all([
    iptablesRules(context),
    outputOf(context, 'firewall-cmd', ['--state']),
  ]);
  return { rules, firewalld: firewalld !== undefined };
}

async function iptablesRules(context: Context): Promise<string[]> {
  return (await outputOf(context, 'iptables', ['-w', '-S']))?.split('\n') ?? [];
}

/** A base chain of nftables that drops what the machine forwards and it does not accept itself. */
export interface ClosedChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

/**
 * Chains of `nft list chains` that forward nothing by default and are nobody's whom we tell: those of
 * iptables (Docker, ufw) and firewalld are opened in their own places.
 */
export function closedChains(listing: string): ClosedChain[] {
  const found: ClosedChain[] = [];
  let [family, table, chain] = ['', '', ''];
  for (const line of listing.split('\n')) {
    const [word, first = '', second = ''] = line.trim().split(/\s+/);
    if (word === 'table') [family, table] = [first, second];
    else if (word === 'chain') chain = first;
    else if (/hook forward .*policy drop;/.test(line)) found.push({ family, table, chain });
  }
  const told = (one: ClosedChain) =>
    (one.table === 'filter' && one.chain === 'FORWARD') || one.table === 'firewalld';
  return found.filter((one) => one.family !== 'ip6' && !told(one));
}

/** Sentences about chains that will drop what hosts send and get, unless they name our bridges. */
export async function forwardingWarnings(context: Context): Promise<string[]> {
  const closed = closedChains((await outputOf(context, 'nft', ['list', 'chains'])) ?? '');
  const warnings = closed.map(async ({ family, table, chain }) => {
    const rules = (await outputOf(context, 'nft', ['list', 'chain', family, table, chain])) ?? '';
    if (rules.includes('"pl-')) return [];
    const where = `${family} ${table} ${chain}`;
    return [
      `The nftables chain ${where} drops what this machine forwards: hosts reach no other network. ` +
        `Admit them: nft 'insert rule ${where} iifname "pl-*" accept; ` +
        `insert rule ${where} oifname "pl-*" accept'`,
    ];
  });
  return (await Promise.all(warnings)).flat();
}
