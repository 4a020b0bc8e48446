/** What a host is now: gathered by one bash script over one connection. */

import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { slowness } from '../ssh/patience.ts';
import { quote } from '../ssh/quote.ts';
import { prepared } from './order.ts';
import type { Resource } from './resource.ts';
import { PATH } from './script.ts';
import type { Facts } from './state.ts';
import { commandProbe } from './steps/command.ts';
import { firewallProbe, TABLE_HASH } from './steps/firewall.ts';
import { hostProbe, requireSupported } from './steps/host.ts';
import { packageProbe } from './steps/package.ts';
import { pathProbe } from './steps/path.ts';
import { serviceProbe } from './steps/service.ts';
import { stampProbe } from './steps/stamp.ts';
import { only } from './steps/step.ts';
import { theirsProbe } from './steps/theirs.ts';
import { userProbe } from './steps/user.ts';

export type { Facts } from './state.ts';

/** Seconds that gathering facts may take on a host that is not slow. */
const LIMIT = 120;

const PROBES = {
  host: hostProbe,
  packages: packageProbe,
  paths: pathProbe,
  users: userProbe,
  services: serviceProbe,
  firewalls: firewallProbe,
  commands: commandProbe,
  theirs: theirsProbe,
  stamps: stampProbe,
} as const;

/** The bash script that asks for everything that `resources` are about. Touches nothing. */
export function factsScript(resources: readonly Resource[]): string {
  const all = prepared(resources);
  const sections = Object.entries(PROBES).map(([name, probe]) => `echo @@${name}\n${probe.script(all)}`);
  return `export ${PATH} LC_ALL=C.UTF-8\n${TABLE_HASH}\n${sections.join('\n')}\necho @@end`;
}

/** What the script's output says. @throws Failure `host` where the output is not whole. */
export function parseFacts(output: string, name: string, resources: readonly Resource[]): Facts {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('@@')) {
      current = [];
      sections.set(line.slice(2), current);
    } else current.push(line);
  }
  if (!sections.has('end')) {
    throw new Failure('host', `${name} did not say what it is: the answer breaks off`, {
      host: name,
      step: 'gather facts',
      output: output.trimEnd().split('\n').slice(-10),
      next: 'Run the command again with --verbose.',
    });
  }
  // The last line of a section is its own, not the empty text before the next one.
  const parsed = <K extends keyof typeof PROBES>(key: K) =>
    PROBES[key].parse(sections.get(key) ?? [], resources) as ReturnType<(typeof PROBES)[K]['parse']>;
  const facts: Facts = {
    host: { ...parsed('host').host, name },
    ...parsed('packages'),
    ...parsed('paths'),
    ...parsed('users'),
    ...parsed('services'),
    ...parsed('firewalls'),
    ...parsed('commands'),
    ...parsed('theirs'),
    ...parsed('stamps'),
  };
  requireSupported(facts);
  return facts;
}

/**
 * Asks the host for everything that `resources` are about. One script, one connection. Touches nothing.
 * @throws Failure `host` where it cannot be reached, or is none that is supported.
 */
export async function gatherFacts(
  connection: Connection,
  resources: readonly Resource[],
  context: Context,
): Promise<Facts> {
  const output = await connection.check(factsScript(resources), {
    label: 'gather facts',
    signal: context.signal,
    timeoutMs: LIMIT * 1000 * slowness(connection.openedMs),
    // Guards of commands may hold secrets, and run here.
    secrets: only(resources, 'command').flatMap((command) =>
      command.secret ? [command.unless, quote(command.unless)] : [],
    ),
  });
  return parseFacts(output, connection.target.name, resources);
}
