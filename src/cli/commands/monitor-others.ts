/** `pipeline monitor open|status|users|test-alert`: questions to the hub, answered on its host. */
import { Failure } from '../../errors.ts';
import { startProcess } from '../../process/child.ts';
import { hostsHeard, silentAgents } from '../../watching/health.ts';
import { askHub, dashboardUrl, findMonitor, type HubStatus, withMonitor } from '../../watching/place.ts';
import { alertLine } from '../alert-line.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { counted } from '../output.ts';
import { table } from '../table.ts';

export const monitorOpen: Handler<typeof definitions.monitorOpen> = async (options, session) => {
  const url = dashboardUrl(await findMonitor(options.inventory, session));
  session.output.line(url);
  // Where there is no browser to open, the address is all that is wanted.
  if (session.output.interactive) {
    const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
    const { env } = session.context;
    const browser = await startProcess(program, [url], { env, stdio: 'ignore' }).catch(() => undefined);
    browser?.unref();
  }
  return { json: { dashboard: url } };
};

export const monitorStatus: Handler<typeof definitions.monitorStatus> = (options, session) =>
  withMonitor(options.inventory, session, async (connection, place) => {
    const { output } = session;
    const { green, red } = output.colors;
    const status = (await askHub(connection, ['status'], session)) as HubStatus;
    const heard = hostsHeard(status, place);
    const says = await silentAgents(heard, status, session);
    const rows = heard.map(({ target: { name }, ago, silent: bad }) => {
      const last = ago === undefined ? 'never heard' : `${ago} s ago`;
      return [name, bad ? red(last) : green(last), says.get(name) ?? ''];
    });
    const head = !heard.some(({ silent }) => silent)
      ? ['host', 'last sample']
      : ['host', 'last sample', 'its agent says'];
    for (const line of table(
      head,
      rows.map((row) => row.slice(0, head.length)),
    ))
      output.line(line);
    const firing = status.alerts.filter(({ state }) => state === 'firing');
    output.line();
    if (!status.working)
      output.line(
        red(`No hub works: nothing is watched. On ${place.monitor.name}: journalctl -u pipeline-hub`),
      );
    output.line(firing.length === 0 ? 'No alert.' : `${counted(firing.length, 'alert')}:`);
    for (const alert of firing) output.line(`  ${alertLine(alert, status)}`);
    output.line(`Dashboard: ${dashboardUrl(place)}`);
    return { json: { dashboard: dashboardUrl(place), ...status, agents: Object.fromEntries(says) } };
  });

export const monitorUsers: Handler<typeof definitions.monitorUsers> = (options, session) =>
  withMonitor(options.inventory, session, async (connection) => {
    const { output } = session;
    const [verb = 'list', name] = [argument(session, 0), argument(session, 1)];
    if (!['list', 'set', 'remove'].includes(verb))
      throw new Failure('usage', `users has no "${verb}"`, { next: 'Say list, set NAME or remove NAME.' });
    if (verb !== 'list' && name === undefined)
      throw new Failure('usage', `users ${verb} needs a name`, {
        next: `Say: pipeline monitor users ${verb} ann`,
      });
    const args = [
      'users',
      verb,
      ...(name === undefined ? [] : [name]),
      ...(verb === 'set' ? [options.admin ? 'admin' : 'viewer'] : []),
    ];
    const answer = (await askHub(connection, args, session, { secretOutput: true })) as {
      users?: readonly { name: string; role: string }[];
      password?: string;
      removed?: boolean;
    };
    if (answer.users !== undefined)
      for (const line of table(
        ['user', 'role'],
        answer.users.map((user) => [user.name, user.role]),
      ))
        output.line(line);
    if (answer.password !== undefined)
      output.line(`Password of ${name}, shown this once: ${output.colors.bold(answer.password)}`);
    if (answer.removed === false)
      throw new Failure('usage', `there is no user "${name}"`, { next: 'See: pipeline monitor users' });
    if (answer.removed) output.line(`${name} can no longer sign in.`);
    return { json: answer };
  });

export const monitorTestAlert: Handler<typeof definitions.monitorTestAlert> = (options, session) =>
  withMonitor(options.inventory, session, async (connection, { config }) => {
    const answer = (await askHub(connection, ['test-alert'], session)) as {
      targets: number;
      failures: readonly string[];
    };
    if (answer.targets === 0)
      throw new Failure('usage', 'alerts go nowhere yet', {
        next:
          `Name webhooks or addresses below alerts: notify: in ${config.path}, then run: pipeline ` +
          'monitor setup',
      });
    if (answer.failures.length > 0)
      throw new Failure(
        'host',
        `${answer.failures.length} of ${counted(answer.targets, 'place')} did not take the message`,
        {
          output: answer.failures,
          next: 'Mend the address in pipeline.yml, then run: pipeline monitor setup',
        },
      );
    session.output.line(`A test message went to ${counted(answer.targets, 'place')}.`);
    return { json: answer };
  });
