/** What a deploy or a rollback ended with, for people and for `--json`. */
import { duration } from '../format.ts';
import type { DeployResult } from '../release/index.ts';

export function deployLines(result: DeployResult, verb: 'deploy' | 'rollback' | 'restart'): string[] {
  const version = `${result.release}${result.commit === null ? '' : ` (${result.commit.slice(0, 7)})`}`;
  if (!result.changed)
    return [
      `${result.app} ${version} is live already. Nothing was changed (${duration(result.seconds * 1000)}).`,
    ];
  const again = result.previous === result.release;
  const done = verb === 'rollback' ? 'Back' : verb === 'restart' ? 'Restarted' : again ? 'Done' : 'Live';
  const before =
    verb === 'restart'
      ? 'Its old processes finished and stopped.'
      : result.previous === null
        ? 'It is the first release.'
        : again
          ? 'The version is the same as before; what belongs to it was changed.'
          : `Before: ${result.previous}. Back: pipeline rollback ${result.app}`;
  return [
    '',
    `${done} in ${duration(result.seconds * 1000)}: ${version} on ` +
      `${result.hosts.map(({ host }) => host).join(', ')}.`,
    before,
    ...(result.watch === 0
      ? []
      : [
          `${result.hosts.length === 1 ? 'The host watches' : 'The hosts watch'} it for ` +
            `${duration(result.watch)} more, and ${result.hosts.length === 1 ? 'goes' : 'go'} back ` +
            `where it fails: pipeline releases ${result.app}`,
        ]),
  ];
}

export function deployDocument(result: DeployResult): unknown {
  const { app, ref, commit, release, previous, changed, hosts, watch, seconds } = result;
  return { app, ref, commit, release, previous, changed, hosts, watch: watch / 1000, seconds };
}
