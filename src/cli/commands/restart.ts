/** `pipeline restart APP`: the live release anew. */
import { withLock } from '../../environment/lock.ts';
import { restart as again } from '../../release/index.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { deployDocument, deployLines } from '../deploy-result.ts';

export const restart: Handler<typeof definitions.restart> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const lock = { command: `pipeline restart ${name}`, wait: options.wait };
    const result = await withLock(keeper.connection, lock, session.context, (locked) =>
      again({ ...app, host: options.host }, locked),
    );
    for (const line of deployLines(result, 'restart')) session.output.line(line);
    return { json: deployDocument(result) };
  });
};
