/** nginx on a host as a proxy of four verbs. */
import type { Context } from '../context.ts';
import { SITES } from '../contract/proxy-paths.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';
import { withValues } from '../ssh/script.ts';
import type { Site, SiteProxy, Weights } from './proxy.ts';
import reconcile from './reconcile.sh' with { type: 'text' };
import { PROXY_FUNCTIONS, removeSite, writeSite } from './scripts.ts';

/** The proxy on the host behind a connection; role `nginx` must be there. Each verb is one round trip. */
export function nginxProxy(connection: Connection, context: Context): SiteProxy {
  const host = connection.target.name;
  const run = (label: string, script: string) =>
    connection.check(`${PROXY_FUNCTIONS}\n${script}`, { label, signal: context.signal });
  return {
    async reconcile(site: Site) {
      const { exitCode, stdout, stderr } = await connection.script(
        [PROXY_FUNCTIONS, writeSite(site), withValues(reconcile, { app: site.app })].join('\n'),
        { label: `site ${site.app}`, signal: context.signal },
      );
      if (exitCode !== 0) throw siteRefused(host, site.app, stderr);
      return { changed: stdout.includes('changed 1') };
    },
    async setWeights(app, weights) {
      await run(`weights of ${app}`, `weights_put ${quote(app)} ${greenOf(weights)}`);
    },
    async getWeights(app) {
      const green = (await run(`weights of ${app}`, `weights_get ${quote(app)} || true`)).trim();
      return green === '' ? null : weightsOf(Number(green));
    },
    async remove(app) {
      await run(`remove site ${app}`, removeSite(app));
    },
  };
}

/** Per cent as whole numbers, which is how finely traffic is divided. */
export function greenOf(weights: Weights): number {
  const { blue, green } = weights;
  if (!Number.isInteger(green) || green < 0 || green > 100 || blue + green !== 100) {
    throw new Failure('usage', `Weights are whole per cent that sum to 100, not ${blue} and ${green}.`, {
      next: 'Give for example 90 and 10.',
    });
  }
  return green;
}

export function weightsOf(green: number): Weights {
  return { blue: 100 - green, green };
}

/** A site that nginx refuses, with its own words. */
export function siteRefused(host: string, app: string, said: string): Failure {
  const output = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/configuration file .* test failed/.test(line));
  const twoDefaults = output.some((line) => line.includes('duplicate default server'));
  const name = /conflicting server name "([^"]*)"/.exec(said)?.[1];
  const taken = /bind\(\) to (\S+) failed/.exec(said)?.[1];
  return new Failure('host', `${host}: nginx does not take the site of ${app}`, {
    host,
    step: 'proxy',
    output,
    next: twoDefaults
      ? 'Another site of this host has no domains either: ' +
        'give one of them site: domains: or another site: port: in pipeline.yml.'
      : name !== undefined
        ? `Another site of this host answers to ${name} too: take it out of one of them (${SITES}).`
        : taken !== undefined
          ? `Another program on the host has ${taken}: end it, or give ${app} another site: port:.`
          : 'The site that was in force before still is. ' +
            'Correct site: in pipeline.yml, then run the command again.',
  });
}
