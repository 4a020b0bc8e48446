/** Paths at which nothing may stand. */

import { Failure } from '../../errors.ts';
import { quote } from '../../ssh/quote.ts';
import type { AbsentResource } from '../resource.ts';
import type { Compare } from './step.ts';

export const compareAbsent: Compare<AbsentResource> = ({ path }, facts) => {
  const fact = facts.paths[path];
  if (fact === undefined) return undefined;
  if (path.split('/').length < 3) {
    throw new Failure('internal', `${path} is a folder of the system and will not be removed`, {
      host: facts.host.name,
    });
  }
  return {
    action: 'delete',
    diff: [`-${fact.type === 'directory' ? 'directory with everything in it' : fact.type}`],
    doing: `removing ${path}`,
    script: `rm -rf --one-file-system ${quote(path)}`,
  };
};
