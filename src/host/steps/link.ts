/** Symbolic links, switched atomically. */

import { quote } from '../../ssh/quote.ts';
import type { LinkResource } from '../resource.ts';
import { inTheWay } from './path.ts';
import { type Compare, changeOf } from './step.ts';

export const compareLink: Compare<LinkResource> = ({ path, target }, facts) => {
  const fact = facts.paths[path];
  if (fact?.type === 'link' && fact.target === target) return undefined;
  if (fact !== undefined && fact.type !== 'link') {
    throw inTheWay(facts, path, `a ${fact.type === 'other' ? 'device or socket' : fact.type}`, 'a link');
  }
  const temporary = quote(`${path}.pipeline-new`);
  return {
    action: fact === undefined ? 'create' : 'change',
    diff: changeOf('link to', fact?.target, target),
    doing: `linking ${path}`,
    script: [
      `mkdir -p "$(dirname ${quote(path)})"`,
      `ln -sfn ${quote(target)} ${temporary}`,
      `mv -fT ${temporary} ${quote(path)}`,
    ].join('\n'),
  };
};
