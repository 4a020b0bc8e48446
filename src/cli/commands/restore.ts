/** `pipeline restore APP [KEY] [WHEN]`: brings an application's data back. */
import { lossWords } from '../../backup/decide.ts';
import { restore as bringBack, planRestore } from '../../backup/restore.ts';
import { withLock } from '../../environment/lock.ts';
import { duration } from '../../format.ts';
import { appOf } from '../app-hosts.ts';
import { type BackupPlace, withBackupHosts } from '../backup-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { confirm } from '../question.ts';

export const restore: Handler<typeof definitions.restore> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const app = argument(session, 0) ?? '';
  return withBackupHosts(session, options.inventory, async (place) => {
    const definition = appOf(place.config, app);
    const words = keyAndTime(place, app, argument(session, 1), argument(session, 2));
    const request = { config: place.config, app, ...words, into: options.into ?? null };
    const work = await planRestore(request, place.hosts, context);
    const now = context.now().getTime();
    const planned = work.flatMap((one) => one.planned);
    for (const one of planned) output.line(capital(lossWords(one, now)));
    const replaces = planned.some(({ order }) => order.into === null);
    if (replaces)
      output.line(`${app} stands still while its data changes places; visitors see its page of maintenance.`);
    if (replaces && !options.yes) await confirm(`Type ${app} to go on: `, app, output);
    const hosts = place.hosts.filter(({ groups }) => definition.hosts.some((one) => groups.includes(one)));
    const lock = { command: `pipeline restore ${app}`, wait: options.wait };
    await withLock(place.keeper.connection, lock, context, (locked) =>
      bringBack({ config: place.config, app, hosts }, work, locked),
    );
    output.line(`Restored in ${duration(performance.now() - started)}.`);
    return {
      json: {
        app,
        into: request.into,
        restored: planned.map(({ order, host }) => ({
          host,
          item: 'key' in order.item ? order.item.key : order.item.kind,
          backup: order.snapshot,
          at: new Date(order.at).toISOString(),
        })),
        seconds: (performance.now() - started) / 1000,
      },
    };
  });
};

/** One word may be either: what is a key of the application is one. */
function keyAndTime(
  { config }: BackupPlace,
  app: string,
  first: string | undefined,
  second: string | undefined,
): { readonly key: string | undefined; readonly when: string | undefined } {
  if (second !== undefined || first === undefined) return { key: first, when: second };
  const isKey = first in (config.apps[app]?.databases ?? {}) || !/^\d|^[0-9a-f]{4,64}$/.test(first);
  return isKey ? { key: first, when: undefined } : { key: undefined, when: first };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
