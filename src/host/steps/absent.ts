/** Paths at which nothing may stand. */

import { quote } from '../../ssh/quote.ts';
import type { AbsentResource } from '../resource.ts';
import type { Compare } from './step.ts';

export const compareAbsent: Compare<AbsentResource> = ({ path }, facts) => {
  const fact = facts.paths[path];
  if (fact === undefined) return undefined;
  return {
    action: 'delete',
    diff: [`-${fact.type === 'directory' ? 'directory with everything in it' : fact.type}`],
    doing: `removing ${path}`,
    script: `rm -rf --one-file-system ${quote(path)}`,
  };
};
