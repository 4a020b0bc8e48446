/** What canaries brought to a host: it alone is theirs to take off again. */
import { posix } from 'node:path';
import type { Context } from '../../context.ts';
import { appRoot } from '../../contract/places.ts';
import { SITES } from '../../contract/proxy-paths.ts';
import { Failure } from '../../errors.ts';
import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import brought from './brought.sh' with { type: 'text' };
import type { Lab, LabHost } from './hosts.ts';
import { takeOff } from './release.ts';
import { FOLDER } from './service.ts';

/** Names of applications, a line each. It goes with the folder. */
const LIST = `${FOLDER}/brought`;

/**
 * Makes the hosts the experiment's: what canaries left on them goes, and what this one is about to bring is
 * noted before it comes.
 * @throws Failure kind `usage` where a host of an inventory has an application that no canary brought; it is
 *   left as it is.
 */
export async function claimHosts(lab: Lab, app: string, context: Context): Promise<void> {
  const hosts = Object.values(lab.hosts);
  const found = await Promise.all(hosts.map(async (host) => ({ host, ...(await appsOn(host, context)) })));
  // Hosts that were made for canaries have nobody else's.
  const taken = found.filter(({ others }) => lab.remains === null && others.length > 0);
  const [first] = taken;
  if (first !== undefined) {
    const said = taken.map(({ host, others }) => `${host.name} has ${others.join(', ')}`).join('; ');
    throw new Failure('usage', `A canary needs hosts that serve nothing else: ${said}.`, {
      host: first.host.name,
      next: 'Name other hosts in [proxy], [blue] and [green]; without -i a canary makes local ones.',
    });
  }
  await Promise.all(
    found.map(async ({ host, canaries, others }) => {
      for (const one of [...canaries, ...others]) await takeOff(host, one, context);
      await host.connection.check(`mkdir -p ${FOLDER} && printf '%s\\n' ${quote(app)} >${LIST}`, {
        label: 'note what is brought',
        signal: context.signal,
      });
    }),
  );
}

/** Takes off what canaries brought. */
export async function takeOffBrought(host: LabHost, context: Context): Promise<void> {
  for (const app of (await appsOn(host, context)).canaries) await takeOff(host, app, context);
}

async function appsOn(
  host: LabHost,
  context: Context,
): Promise<{ readonly canaries: readonly string[]; readonly others: readonly string[] }> {
  const values = { sites: SITES, roots: posix.dirname(appRoot('app')), brought: LIST };
  const text = await host.connection.check(withValues(brought, values), {
    label: 'which applications are there',
    signal: context.signal,
  });
  const of = (kind: string) =>
    text.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []));
  return { canaries: of('canary'), others: of('other') };
}
