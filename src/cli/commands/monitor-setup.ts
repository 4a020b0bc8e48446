/** `pipeline monitor setup`: Redis, hub and dashboard on the monitor host, an agent on every host. */
import { Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import { dashboardUrl, findMonitor } from '../../watching/place.ts';
import { type FirstUser, setUpMonitor, type WatchedHost } from '../../watching/set-up.ts';
import { changeEntries, changeSummary } from '../changes.ts';
import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { counted, type Output } from '../output.ts';

export const monitorSetup: Handler<typeof definitions.monitorSetup> = async (options, session) => {
  const { output } = session;
  const started = performance.now();
  const place = await findMonitor(options.inventory, session);
  const { targets, leftOut } = place.inventory;
  for (const { why } of leftOut) output.line(`Not watched: ${why}.`);
  const { hosts, first } = await setUpMonitor(
    place,
    { wait: options.wait, onFirstUser: (user) => showPassword(user, output) },
    session,
  );
  const url = dashboardUrl(place);
  const time = duration(performance.now() - started);
  const entries = changeEntries({ changes: [] }, hosts);
  const failed = hosts.filter(({ failure }) => failure !== undefined);
  if (entries.length > 0) output.line(`Ready in ${time}. ${changeSummary(entries)}.`);
  else if (failed.length === 0)
    output.line(`Nothing to change on ${counted(targets.length, 'host')} (${time}).`);
  output.line(`Dashboard: ${url}`);
  if (failed.length > 0) throw notAll(failed, targets.length);
  return {
    json: {
      dashboard: url,
      changes: entries,
      changed: entries.length,
      hosts: targets.map(({ name }) => name),
      ...first,
    },
  };
};

function showPassword({ user, password }: FirstUser, output: Output): void {
  output.line(`Sign in as ${user} with the password ${output.colors.bold(password)}`);
  output.line(
    'It is shown only once and stored nowhere. To set another: pipeline monitor users set admin --admin',
  );
}

function notAll(failed: readonly WatchedHost[], all: number): Failure {
  const [first] = failed.flatMap(({ failure }) => failure ?? []);
  const names = failed.map(({ host }) => host).join(', ');
  const others = all - failed.length;
  return new Failure(
    'host',
    `${names} could not be set up; the other ${counted(others, 'host')} ` +
      `${others === 1 ? 'is' : 'are'} watched`,
    {
      host: first?.host,
      step: first?.step,
      output: failed.flatMap(({ failure }) =>
        failure === undefined ? [] : [failure.message, ...failure.output],
      ),
      next: first?.next ?? 'Fix it, then run the command again: it goes on from here.',
    },
  );
}
