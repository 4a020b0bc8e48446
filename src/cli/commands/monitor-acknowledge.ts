/** `pipeline monitor acknowledge`: somebody takes what fires. */
import { EVERYTHING } from '../../alerts/silence.ts';
import { audit, whoami } from '../../environment/audit.ts';
import { Failure } from '../../errors.ts';
import { askHub, type FiringAlert, type HubStatus, withMonitor } from '../../watching/place.ts';
import { alertLine } from '../alert-line.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { checkSubject, entryOf } from './monitor-silence.ts';

export const monitorAcknowledge: Handler<typeof definitions.monitorAcknowledge> = (options, session) => {
  const subject = argument(session, 0);
  if (subject === undefined) return list(options.inventory, session);
  return withMonitor(options.inventory, session, async (connection, place) => {
    const { context, output } = session;
    checkSubject(subject, place);
    const action = options.end ? 'unacknowledge' : 'acknowledge';
    const args = [action, subject, ...(options.end ? [] : [whoami(context)])];
    const answer = (await askHub(connection, args, session)) as { alerts: readonly FiringAlert[] };
    const about = subject === EVERYTHING ? '' : ` about ${subject}`;
    if (answer.alerts.length === 0)
      throw new Failure('usage', options.end ? `nothing${about} is taken` : `nothing fires${about}`, {
        next: 'See: pipeline monitor acknowledge',
      });
    const messages = answer.alerts.map(({ message }) => message);
    await audit(connection, entryOf(action, subject, session, messages.join('; ')), context);
    output.line(options.end ? 'Nobody takes care of this any more:' : 'You take care of this:');
    for (const message of messages) output.line(`  ${message}`);
    return { json: answer };
  });
};

function list(inventory: string | undefined, session: Session) {
  return withMonitor(inventory, session, async (connection) => {
    const status = (await askHub(connection, ['status'], session)) as HubStatus;
    const firing = status.alerts.filter(({ state }) => state === 'firing');
    if (firing.length === 0) session.output.line('No alert.');
    for (const alert of firing) session.output.line(alertLine(alert, status));
    return { json: { alerts: firing, taken: status.taken ?? [] } };
  });
}
