/** `pipeline releases APP`: what was deployed when, by whom, with what result. */
import { releases as list, type ReleaseRecord } from '../../release/index.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import type { Colors } from '../output.ts';
import { table } from '../table.ts';

export const releases: Handler<typeof definitions.releases> = async (options, session) => {
  const { output } = session;
  const name = argument(session, 0) ?? '';
  const records = await withAppHosts(session, name, options.inventory, (app) => list(app, session.context));
  if (records.length === 0) output.line(`${name} was never deployed. Do it: pipeline deploy ${name}`);
  const rows = records.map((record) => [
    service(record, output.colors),
    record.release,
    record.commit?.slice(0, 7) ?? '',
    record.ref,
    record.at.slice(0, 16).replace('T', ' '),
    record.by,
    record.result === 'failed' ? output.colors.red(record.result) : record.result,
    record.reason === undefined ? record.subject : `${record.subject} (${record.reason})`,
  ]);
  if (rows.length > 0)
    for (const line of table(['', 'release', 'commit', 'ref', 'at (UTC)', 'by', 'result', 'subject'], rows))
      output.line(line);
  const letIn = records.find(({ steps }) => steps.length > 0);
  if (letIn !== undefined) output.line(`\n${letIn.release} was let in by a rollout:`);
  for (const { at, kind, message } of letIn?.steps ?? []) {
    output.line(`  ${at.slice(0, 19).replace('T', ' ')}  ${kind}  ${message}`);
  }
  return {
    json: { app: name, releases: records },
  };
};

function service({ live, liveOn, kept, maintenance }: ReleaseRecord, colors: Colors): string {
  if (maintenance) return colors.yellow('live, closed');
  if (live) return colors.green('live');
  if (liveOn.length > 0) return colors.yellow(`live on ${liveOn.join(', ')}`);
  return kept ? 'kept' : '';
}
