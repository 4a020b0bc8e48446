/** `pipeline monitor incident`: what people say on the status page. */
import type { Incident } from '../../alerts/status/incidents.ts';
import { audit } from '../../environment/audit.ts';
import { closest, Failure } from '../../errors.ts';
import { age } from '../../format.ts';
import { askHub, type MonitorPlace, withMonitor } from '../../watching/place.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { entryOf } from './monitor-silence.ts';

const LONGEST = 500;

export const monitorIncident: Handler<typeof definitions.monitorIncident> = (options, session) => {
  const text = (argument(session, 0) ?? '').trim();
  const { app = '', end } = options;
  if (text === '' && !end) {
    if (app === '') return list(options.inventory, session);
    throw new Failure('usage', 'what do visitors read?', {
      next: `Say it: pipeline monitor incident --app ${app} "We are looking into it."`,
    });
  }
  if (text.length > LONGEST)
    throw new Failure('usage', `the words are longer than ${LONGEST} characters`, {
      next: 'Say it shorter.',
    });
  return withMonitor(options.inventory, session, async (connection, place) => {
    checkPage(app, place);
    const command = end ? 'incident-end' : 'incident';
    const answer = (await askHub(connection, [command, app, text], session)) as {
      incident: Incident;
      isNew: boolean;
    };
    const subject = app === '' ? 'all' : app;
    await audit(connection, entryOf(command, subject, session, text), session.context);
    const done = end ? 'closed' : answer.isNew ? 'opened' : 'has your words now';
    session.output.line(`The incident about ${subject} ${answer.isNew || end ? `is ${done}` : done}.`);
    return { json: answer };
  });
};

/** @throws Failure `usage` where pipeline.yml has no such page, or no such application on it */
function checkPage(app: string, { config }: MonitorPlace): void {
  const page = config.monitor?.status_page;
  if (page === undefined)
    throw new Failure('usage', `${config.path} has no status page`, {
      next: 'Write monitor: { status_page: { title: … } }, then run: pipeline monitor setup',
    });
  const known = Object.keys(page.apps ?? config.apps);
  if (app === '' || known.includes(app)) return;
  const guess = closest(app, known);
  throw new Failure('usage', `the status page has no application "${app}"`, {
    next: guess === undefined ? `It has ${known.join(', ') || 'none'}.` : `Did you mean ${guess}?`,
  });
}

function list(inventory: string | undefined, session: Session) {
  return withMonitor(inventory, session, async (connection) => {
    const answer = (await askHub(connection, ['incidents'], session)) as { incidents: readonly Incident[] };
    const now = session.context.now().getTime();
    if (answer.incidents.length === 0) session.output.line('No incident goes on.');
    for (const { app, from, reason } of answer.incidents) {
      const who = reason === undefined ? 'opened by a person' : 'opened by alerts';
      session.output.line(`${app === '' ? 'all' : app}: for ${age(now - from)}, ${who}`);
    }
    return { json: answer };
  });
}
