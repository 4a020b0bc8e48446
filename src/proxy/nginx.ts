/** nginx on a host as a `SiteProxy`. */
import type { Context } from '../context.ts';
import { SITES } from '../contract/proxy-paths.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';
import type { Site, SiteProxy, Weights } from './proxy.ts';
import { PROXY_FUNCTIONS, reconcileSite } from './scripts.ts';

/** The proxy on a host that has the role `nginx`. Each verb is one round trip. */
export function nginxProxy(connection: Connection, context: Context): SiteProxy {
  const host = connection.target.name;
  const run = (label: string, script: string) =>
    connection.check(`${PROXY_FUNCTIONS}\n${script}`, { label, signal: context.signal });
  return {
    async reconcile(site: Site) {
      const { exitCode, stdout, stderr } = await connection.script(reconcileSite(site), {
        label: `site ${site.app}`,
        signal: context.signal,
      });
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
      await run(`remove site ${app}`, `site_remove ${quote(app)}`);
    },
  };
}

/** Green's share in whole per cent: traffic is divided no finer. */
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

/** nginx refused a site: what it said, and what to do. */
export function siteRefused(host: string, app: string, said: string): Failure {
  const output = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/configuration file .* test failed/.test(line));
  return new Failure('host', `${host}: nginx refused the site of ${app}`, {
    host,
    step: 'proxy',
    output,
    next: adviceOn(app, said),
  });
}

function adviceOn(app: string, said: string): string {
  if (said.includes('duplicate default server')) {
    return (
      'Another site of this host has no domains either: give one of them site: domains: ' +
      'or another site: port: in pipeline.yml.'
    );
  }
  const name = /conflicting server name "([^"]*)"/.exec(said)?.[1];
  if (name !== undefined) {
    return `Another site of this host answers to ${name} too: take it out of one of them (${SITES}).`;
  }
  const taken = /bind\(\) to (\S+) failed/.exec(said)?.[1];
  if (taken !== undefined) {
    return `Another program on the host uses ${taken}: stop it, or give ${app} another site: port:.`;
  }
  return 'The old site is still in force. Correct site: in pipeline.yml, then run the command again.';
}
