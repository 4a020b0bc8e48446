/** `pipeline deploy APP [REF]`: from an artifact to a live version. */
import { buildArtifact } from '../../build/build.ts';
import { loadConfig } from '../../config/load.ts';
import type { AppConfig } from '../../config/schema.ts';
import { withLock } from '../../environment/lock.ts';
import { Failure } from '../../errors.ts';
import { type FirstTime, deploy as release } from '../../release/index.ts';
import { appOf, withAppHosts } from '../app-hosts.ts';
import { artifactLine, conventionLines } from '../artifact-line.ts';
import { planLines } from '../changes.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { deployDocument, deployLines } from '../deploy-result.ts';
import type { Output } from '../output.ts';
import { confirm } from '../question.ts';
import { watchRollout } from './rollout.ts';

export const deploy: Handler<typeof definitions.deploy> = async (options, session) => {
  const { output, context } = session;
  const name = argument(session, 0) ?? '';
  const config = await loadConfig(session.common.config, context);
  const { hosts, databases } = appOf(config, name);
  const canary = canaryOf(options.canary, appOf(config, name).rollout);
  const agree = (first: readonly FirstTime[]) => agreeToFirst(first, options.yes, output);
  if (options.reseed) await confirmReseed(name, databases, options.yes, output);
  return withAppHosts(session, name, options.inventory, async (app, keeper) => {
    const artifact = await buildArtifact(config, name, argument(session, 1), context, {
      file: options.artifact,
    });
    output.line(`${artifactLine(artifact)}  on ${hosts.join(', ')}`);
    for (const line of conventionLines(artifact)) output.line(line);
    const result = await withLock(
      keeper.connection,
      { command: `pipeline deploy ${name}`, wait: options.wait },
      context,
      (locked) => release({ ...app, artifact, reseed: options.reseed, canary, agree }, locked),
    );
    if (canary !== undefined && result.changed && result.rollout === undefined) {
      output.line('Nothing else serves that it could be compared with, so all visitors get it.');
    }
    if (result.rollout !== undefined) return watchRollout(result.rollout.host, name, app, session);
    for (const line of deployLines(result, 'deploy')) output.line(line);
    return { json: deployDocument(result) };
  });
};

/** undefined: every visitor at once. @throws Failure `usage`: the steps are none. */
function canaryOf(
  asked: string | undefined,
  { always, steps }: AppConfig['rollout'],
): { readonly steps: readonly number[] } | undefined {
  if (asked === undefined) return always ? { steps } : undefined;
  if (asked === '') return { steps };
  const given = asked
    .split(',')
    .map((text) => (/^\d{1,3}(\.\d)?$/.test(text.trim()) ? Number(text) : Number.NaN));
  const grow = given.every((step, index) => step > (given[index - 1] ?? 0) && step <= 100);
  if (grow) return { steps: given };
  throw new Failure('usage', `--canary: "${asked}" is not a list of growing shares from 0.1 to 100`, {
    next: 'Write it like --canary=5,50, or put --canary alone behind everything else.',
  });
}

/**
 * Shows what would change on hosts that pipeline never changed, and asks.
 * @throws Failure `usage` where nobody says yes
 */
async function agreeToFirst(hosts: readonly FirstTime[], yes: boolean, output: Output): Promise<void> {
  output.line(`Pipeline never changed ${hosts.map(({ host }) => host).join(', ')}. It would, first:`);
  for (const line of planLines({ changes: [], warnings: [] }, hosts, output.colors)) output.line(line);
  output.line();
  if (!yes) await confirm('Type yes to go on: ', 'yes', output);
}

/** @throws Failure `usage` where nothing would fill the databases, or nobody says yes */
async function confirmReseed(
  name: string,
  databases: AppConfig['databases'],
  yes: boolean,
  output: Output,
): Promise<void> {
  const seeded = Object.values(databases).filter(({ seed }) => seed.length > 0);
  if (seeded.length === 0)
    throw new Failure('usage', `${name} has no database with a seed`, {
      next: 'Say with seed: of a database what fills it (docs/databases.md).',
    });
  if (yes) return;
  const names = seeded.map((database) => database.name).join(', ');
  output.line(`This throws away what is in ${names} of ${name} and fills it anew. A backup is made first.`);
  await confirm(`Type ${name} to go on: `, name, output);
}
