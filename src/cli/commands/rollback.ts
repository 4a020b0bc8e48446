/** `pipeline rollback APP [RELEASE]`: back to an earlier release. */
import { withLock } from '../../environment/lock.ts';
import { rollback as back } from '../../release/index.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { deployDocument, deployLines } from '../deploy-result.ts';

export const rollback: Handler<typeof definitions.rollback> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const command = `pipeline rollback ${name}`;
    const result = await withLock(
      keeper.connection,
      { command, wait: options.wait },
      session.context,
      (locked) => back({ ...app, release: argument(session, 1) }, locked),
    );
    for (const line of deployLines(result, 'rollback')) session.output.line(line);
    return { json: deployDocument(result) };
  });
};
