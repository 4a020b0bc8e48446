/** Paths at which nothing may stand. */

import { quote } from '../../ssh/quote.ts';
import type { AbsentResource } from '../resource.ts';
import { arriving, type Compare } from './step.ts';

export const compareAbsent: Compare<AbsentResource> = ({ path }, facts, around) => {
  const fact = facts.paths[path];
  const because = fact === undefined ? arriving(around) : [];
  if (fact === undefined && because.length === 0) return undefined;
  return {
    action: 'delete',
    diff:
      fact === undefined
        ? []
        : [`-${fact.type === 'directory' ? 'directory with everything in it' : fact.type}`],
    reason: fact === undefined ? 'in case a package brings it' : undefined,
    because,
    doing: `removing ${path}`,
    script: `rm -rf --one-file-system ${quote(path)}`,
  };
};
