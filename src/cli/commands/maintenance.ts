/** `pipeline maintenance on|off APP`: a page with 503 for visitors, and the site again. */
import { withLock } from '../../environment/lock.ts';
import { closeSite, openSite } from '../../release/index.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

export const on: Handler<typeof definitions.maintenanceOn> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const lock = { command: `pipeline maintenance on ${name}`, wait: options.wait };
    const result = await withLock(keeper.connection, lock, session.context, (locked) =>
      closeSite(app, options.for, locked),
    );
    const until = result.until === null ? '' : `, and are told to come again at ${clock(result.until)} UTC`;
    session.output.line(`Visitors of ${name} get 503 with the page of maintenance${until}.`);
    session.output.line(`Deploys do not change that. Open it again: pipeline maintenance off ${name}`);
    return { json: result };
  });
};

export const off: Handler<typeof definitions.maintenanceOff> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const lock = { command: `pipeline maintenance off ${name}`, wait: options.wait };
    const result = await withLock(keeper.connection, lock, session.context, (locked) =>
      openSite(app, locked),
    );
    session.output.line(result.changed ? `${name} is open again.` : `${name} is open. Nothing was changed.`);
    return { json: result };
  });
};

function clock(at: string): string {
  return at.slice(0, 16).replace('T', ' ');
}
