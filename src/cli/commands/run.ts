/** `pipeline run APP -- CMD`: a command in a release on a host. The command's exit code is ours. */
import { Failure } from '../../errors.ts';
import { runInRelease } from '../../release/index.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

export const run: Handler<typeof definitions.run> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  const given = (session.arguments[1] ?? []) as readonly string[];
  const collect = session.common.json;
  const terminal = !collect && process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (given.length === 0 && !terminal) {
    throw new Failure('usage', 'which command?', { next: `Name one: pipeline run ${name} -- COMMAND` });
  }
  const words = given.length === 0 ? ['bash'] : given;
  const { host, release } = options;
  return withAppHosts(session, name, options.inventory, async (app) => {
    session.output.end();
    const ran = await runInRelease({ ...app, host, release, words, terminal, collect }, session.context);
    return { exitCode: ran.exitCode, json: { app: name, ...ran } };
  });
};
