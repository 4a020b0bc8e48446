/**
 * What `doctor` says of the monitor: whether it is there, works, hears every host, and has somebody to call.
 */
import type { Config } from '../../config/schema.ts';
import { asFailure, Failure } from '../../errors.ts';
import { hostsHeard, silentAgents } from '../../watching/health.ts';
import { askHub, type HubStatus, withMonitor } from '../../watching/place.ts';
import type { Session } from '../command.ts';
import { counted } from '../output.ts';
import type { DoctorFinding } from './finding.ts';

const subject = 'monitor';

/** Nothing is changed. */
export async function monitorFindings(
  config: Config,
  inventory: string | undefined,
  session: Session,
): Promise<readonly DoctorFinding[]> {
  if (config.monitor === undefined) return [];
  try {
    return [
      ...(await withMonitor(inventory, session, async (connection, place): Promise<DoctorFinding[]> => {
        const options = { label: 'look for the hub', signal: session.context.signal };
        const there = await connection.script('test -e /etc/systemd/system/pipeline-hub.service', options);
        if (there.exitCode !== 0)
          return [
            {
              subject,
              state: 'warning',
              message: `pipeline.yml names ${place.monitor.name}, and nothing watches yet`,
              next: 'Set it up: pipeline monitor setup',
            },
          ];
        const status = (await askHub(connection, ['status'], session)) as HubStatus;
        const heard = hostsHeard(status, place);
        return statusFindings(status, heard, await silentAgents(heard, status, session), place.monitor.name);
      })),
      ...(config.alerts.notify.length > 0
        ? []
        : [
            {
              subject: 'alerts',
              state: 'warning',
              message: 'go nowhere but to the dashboard',
              next: 'Name places below alerts: notify: in pipeline.yml, then: pipeline monitor setup',
            } as const,
          ]),
    ];
  } catch (thrown) {
    session.context.signal.throwIfAborted();
    const { kind, message, next } = asFailure(thrown);
    if (!(thrown instanceof Failure) || kind === 'internal') throw thrown;
    return [{ subject, state: 'bad', message, next }];
  }
}

/** Pure. */
export function statusFindings(
  { working, alerts }: HubStatus,
  heard: ReturnType<typeof hostsHeard>,
  says: ReadonlyMap<string, string>,
  monitor: string,
): DoctorFinding[] {
  if (!working)
    return [
      {
        subject,
        state: 'bad',
        message: 'no hub takes samples in: nothing is watched',
        next: `On ${monitor}: journalctl -u pipeline-hub; or set it up again: pipeline monitor setup`,
      },
    ];
  const silent = heard.filter((one) => one.silent);
  if (silent.length === 0) {
    const firing = alerts.filter(({ state }) => state === 'firing').length;
    const alarms = firing === 0 ? 'no alert' : counted(firing, 'alert');
    const message = `hears ${counted(heard.length, 'host')}, ${alarms}`;
    return [{ subject, state: 'good', message }];
  }
  return silent.map(({ target: { name }, ago }) => ({
    subject,
    state: 'bad',
    message:
      `hears nothing of ${name}${ago === undefined ? '' : ` since ${ago} s`}; its agent says: ` +
      `${says.get(name) ?? 'nothing'}`,
    next: 'Set it up again: pipeline monitor setup',
  }));
}
