/** What processes and jobs need of the rest of their application: pure. */
import type { PathMistake } from './explain.ts';
import type { Path } from './positions.ts';
import type { AppConfig, ConfigValues } from './schema.ts';

/** Mistakes that no single value of `processes:` and `jobs:` shows. */
export function checkProcesses(
  { hosts, runtime, processes, jobs }: AppConfig,
  entries: ConfigValues['hosts'],
  at: (...rest: Path) => Path,
): PathMistake[] {
  const own = { processes, jobs };
  const files = (['processes', 'jobs'] as const).flatMap((key) =>
    runtime === 'static' && Object.keys(own[key]).length > 0
      ? [{ path: at(key), message: 'is for applications that run, not for static' }]
      : [],
  );
  const machines = hosts.reduce((sum, host) => sum + (entries[host]?.count ?? 1), 0);
  const exclusive = Object.entries(processes).flatMap(([name, process]) =>
    process.exclusive && machines > 1
      ? [
          {
            path: at('processes', name, 'exclusive'),
            message:
              'is for an application on one host: hosts change their version one after the other, so two ' +
              'versions would run it at once',
          },
        ]
      : [],
  );
  return [...files, ...exclusive];
}
