/**
 * `prod replace HOST -i INVENTORY`: whoever owns the hosts brought a new, empty machine under this name, and
 * it becomes what the lost one was.
 */
import { noteDone } from '../backup/bring-back.ts';
import { BACKUP_STATUS } from '../contract/backup-paths.ts';
import { APPS } from '../contract/places.ts';
import { withLock } from '../environment/lock.ts';
import { closest, Failure } from '../errors.ts';
import { duration } from '../format.ts';
import type { Connection } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import type { CommandResult, Session } from './command.ts';
import { configureSeen, requireNothingInTheWay, show, type Work, withExisting } from './existing-hosts.ts';
import { confirm } from './question.ts';
import { type Replaced, refill, sayLost } from './refill.ts';
import remains from './remains.sh' with { type: 'text' };
import { askSurvivors } from './survivors.ts';

interface Options {
  readonly provider: string | undefined;
  readonly wait: boolean;
  readonly yes: boolean;
}

/**
 * Nothing is made and nothing removed.
 * @throws Failure kind `usage` where no host has this name, or the one that has it is not empty
 */
export async function replaceExisting(
  name: string,
  inventory: string,
  options: Options,
  session: Session,
): Promise<CommandResult> {
  const { output, context } = session;
  const started = performance.now();
  const keep = { provider: options.provider, keep: true };
  return withExisting(inventory, keep, session, async (hosts, work, keeper, config) => {
    const { connection } = workOn(name, work, hosts.path);
    const { target } = connection;
    const command = `pipeline prod replace ${name} -i ${inventory}`;
    const groups = hosts.groups.get(target) ?? [];
    const replaced: Replaced = { name, config, groups, inventory, command };
    const known = await askSurvivors([...hosts.groups.keys()], name, config, session);
    if (!known.begun) await requireEmpty(connection, inventory, session);
    sayLost(replaced, known, session);
    const seen = await show(hosts, work, session);
    requireNothingInTheWay(seen);
    if (!options.yes) await confirm(`Type ${name} to go on: `, name, output);
    await withLock(keeper, { command, wait: options.wait }, context, async (locked) => {
      // From here on it is no longer empty: who finishes this must know why.
      await noteDone(connection, '', locked);
      await configureSeen(work, seen, locked, output);
    });
    const restored = await refill(connection, replaced, known, session);
    const seconds = (performance.now() - started) / 1000;
    output.line(`${name} is back at ${target.address} (${duration(seconds * 1000)}).`);
    return { json: { host: name, address: target.address, inventory: hosts.path, ...restored, seconds } };
  });
}

function workOn(name: string, work: readonly Work[], path: string): Work {
  const found = work.find(({ connection }) => connection.target.name === name);
  if (found !== undefined) return found;
  const names = work.map(({ connection }) => connection.target.name);
  const guess = closest(name, names);
  throw new Failure('usage', `${path} has no host "${name}" in a group that pipeline.yml names`, {
    next: guess === undefined ? `Hosts: ${names.join(', ')}` : `Did you mean ${guess}?`,
  });
}

/** @throws Failure kind `usage`: it serves, or did */
async function requireEmpty(connection: Connection, inventory: string, { context }: Session): Promise<void> {
  const { name } = connection.target;
  const options = { label: 'is it empty', signal: context.signal };
  const said = await connection.check(withValues(remains, { apps: APPS, backups: BACKUP_STATUS }), options);
  const found = said.split('\n').filter((line) => line !== '');
  if (found.length === 0) return;
  throw new Failure('usage', `${name} is not empty: it has ${found.join(', ')}`, {
    host: name,
    next:
      `Give a new, empty machine under the name ${name} in ${inventory}, then run the command again. ` +
      `Where it is the old one, and well: pipeline prod up -i ${inventory}`,
  });
}
