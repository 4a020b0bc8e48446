/**
 * Other programs' firewalls on this machine. nftables tables cannot overrule each other: what Docker, ufw or firewalld drops, no rule of
 * ours brings back. So the bridge is admitted in their own places, and expelled at the end.
 */
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { mustRun, run } from './run.ts';

/** What `iptables --list-rules` and `firewall-cmd` say, as far as it matters. */
export interface ForeignFirewalls {
  /** Rules of the filter table in `iptables -S` format; empty without iptables. */
  readonly rules: readonly string[];
  readonly firewalld: boolean;
}

/** The iptables chain that admits a bridge: Docker's for users, which it evaluates first; else FORWARD where that drops by default (ufw). */
export function admittingChain(rules: readonly string[]): string | undefined {
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

export async function admitBridge(context: Context, bridge: string, lock: number): Promise<void> {
  const found = await look(context);
  const chain = admittingChain(found.rules);
  if (chain !== undefined) {
    for (const direction of ['-i', '-o']) {
      if (found.rules.includes(`-A ${chain} ${direction} ${bridge} -j ACCEPT`)) continue;
      await mustRun(context, 'network', 'iptables', ['-w', '-I', chain, direction, bridge, '-j', 'ACCEPT'], {
        lock,
      });
    }
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

/** @returns whether there was anything to remove. */
export async function expelBridge(context: Context, bridge: string, lock: number): Promise<boolean> {
  const found = await look(context);
  const rules = deletions(found.rules, bridge);
  for (const rule of rules) await mustRun(context, 'network', 'iptables', ['-w', ...rule], { lock });
  if (!found.firewalld) return rules.length > 0;
  const { code } = await run(context, 'firewall-cmd', [
    '--quiet',
    '--zone=trusted',
    `--query-interface=${bridge}`,
  ]);
  if (code !== 0) return rules.length > 0;
  await mustRun(
    context,
    'network',
    'firewall-cmd',
    ['--quiet', '--zone=trusted', `--remove-interface=${bridge}`],
    { lock },
  );
  return true;
}

async function look(context: Context): Promise<ForeignFirewalls> {
  const [iptables, firewalld] = await Promise.all([
    optional(context, 'iptables', ['-w', '-S']),
    optional(context, 'firewall-cmd', ['--state']),
  ]);
  return { rules: iptables?.split('\n') ?? [], firewalld: firewalld !== undefined };
}

/** Output of a program; undefined where it is not installed or has nothing to say (e.g. a daemon that does not run). */
async function optional(
  context: Context,
  command: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const result = await run(context, command, args);
    return result.code === 0 ? result.stdout : undefined;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'usage') return undefined;
    throw error;
  }
}
