/** What a deploy or a rollback ended with, for people and for `--json`. */
import type { DeployResult } from '../release/index.ts';

export function deployLines(result: DeployResult, verb: 'deploy' | 'rollback'): string[] {
  const version = `${result.release}${result.commit === null ? '' : ` (${result.commit.slice(0, 7)})`}`;
  if (!result.changed)
    return [
      `${result.app} ${version} is live already. Nothing was changed (${result.seconds.toFixed(1)} s).`,
    ];
  const done = verb === 'deploy' ? 'Live' : 'Back';
  const before =
    result.previous === null
      ? 'It is the first release.'
      : `Before: ${result.previous}. Back: pipeline rollback ${result.app}`;
  return [
    '',
    `${done} in ${result.seconds.toFixed(1)} s: ${version} on ${result.hosts.map(({ host }) => host).join(', ')}.`,
    before,
  ];
}

export function deployDocument(result: DeployResult): unknown {
  const { app, ref, commit, release, previous, changed, hosts, seconds } = result;
  return { app, ref, commit, release, previous, changed, hosts, seconds };
}
