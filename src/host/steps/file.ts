/** Files with content, mode and owner; put in place atomically, after their validation. */

import { quote } from '../../ssh/quote.ts';
import { diffLines } from '../diff.ts';
import { sha256 } from '../fingerprint.ts';
import type { FileResource } from '../resource.ts';
import type { PathFact } from '../state.ts';
import { type Attributes, attributeDiff, attributesOf, inTheWay, setAttributes } from './path.ts';
import type { Compare } from './step.ts';

export const compareFile: Compare<FileResource> = (resource, facts) => {
  const { path, content } = resource;
  const fact = facts.paths[path];
  if (fact?.type === 'directory') throw inTheWay(facts, path, 'a directory', 'a file');
  const wanted = attributesOf(resource, '0644');
  const same = fact?.type === 'file' && fact.sha256 === sha256(content);
  const attributes = fact?.type === 'file' ? attributeDiff(fact, wanted) : [];
  if (same && attributes.length === 0) return undefined;
  return {
    action: fact === undefined ? 'create' : 'change',
    diff: [...(same ? [] : contentDiff(resource, fact)), ...attributes],
    theirs: !same && fact?.theirs === true ? REPLACED : undefined,
    doing: `writing ${path}`,
    script: same ? setAttributes(path, wanted) : put(resource, wanted, fact?.theirs === true),
  };
};

/** Copies of what somebody else wrote. */
export const THEIRS_FOLDER = '/var/lib/pipeline/theirs';
const REPLACED = `somebody else wrote it: it is replaced, and a copy is kept in ${THEIRS_FOLDER}`;

function contentDiff(resource: FileResource, fact: PathFact | undefined): readonly string[] {
  if (resource.secret)
    return fact === undefined ? ['+(secret, not shown)'] : ['-(secret, not shown)', '+(secret, not shown)'];
  if (fact === undefined) return diffLines(undefined, resource.content);
  if (fact.type === 'link')
    return [`-link to ${fact.target ?? '?'}`, ...diffLines(undefined, resource.content)];
  if (fact.content === undefined)
    return ['-(not text, or too long to show)', `+${resource.content.length} characters`];
  return diffLines(fact.content, resource.content);
}

/**
 * The temporary name: hidden, and ending in what no include directive takes. One a path, so that killed runs
 * do not pile them up.
 */
function temporaryPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/.${path.slice(slash + 1)}.pipeline-new`;
}

/**
 * Exclusive creation, so that nobody who may write to the folder can point the name elsewhere. Flushed before
 * the rename: after a power cut there is the old content or the new one, never an empty file.
 */
function put(resource: FileResource, attributes: Attributes, theirs: boolean): string {
  const temporary = temporaryPath(resource.path);
  const name = quote(temporary);
  const folder = quote(resource.path.slice(0, resource.path.lastIndexOf('/')) || '/');
  const validate = resource.validate?.replaceAll('%s', name);
  const lines = [
    `[[ -d ${folder} ]] || mkdir -p ${folder}`,
    `rm -f ${name}`,
    `trap ${quote(`rm -f ${name}`)} EXIT`,
    `( umask 077; set -C; printf %s ${word(resource.content)} >${name} )`,
    setAttributes(temporary, attributes),
    ...(validate === undefined ? [] : [`validated ${quote(validate)} || exit`]),
    `sync ${name}`,
    ...(theirs ? [`keep_theirs ${quote(resource.path)}`] : []),
    `wrote ${quote(resource.path)}`,
    `mv -fT ${name} ${quote(resource.path)}`,
  ];
  return lines.join('\n');
}

/** One shell word, quoted also where it is empty. */
function word(text: string): string {
  return text === '' ? "''" : quote(text);
}
