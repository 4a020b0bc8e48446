/** Directories with mode and owner. */

import { quote } from '../../ssh/quote.ts';
import type { DirectoryResource } from '../resource.ts';
import { attributeDiff, attributesOf, inTheWay, setAttributes } from './path.ts';
import type { Compare } from './step.ts';

export const compareDirectory: Compare<DirectoryResource> = (resource, facts) => {
  const { path } = resource;
  const fact = facts.paths[path];
  if (fact !== undefined && fact.type !== 'directory') {
    throw inTheWay(facts, path, fact.type === 'file' ? 'a file' : 'no directory', 'a directory');
  }
  const wanted = attributesOf(resource, '0755');
  if (fact === undefined) {
    return {
      action: 'create',
      diff: [`+directory ${wanted.mode} ${wanted.owner}:${wanted.group}`],
      doing: `making ${path}`,
      script: ['install', '-d', '-m', wanted.mode, '-o', wanted.owner, '-g', wanted.group, path]
        .map(quote)
        .join(' '),
    };
  }
  const diff = attributeDiff(fact, wanted);
  if (diff.length === 0) return undefined;
  return { action: 'change', diff, doing: `changing ${path}`, script: setAttributes(path, wanted) };
};
