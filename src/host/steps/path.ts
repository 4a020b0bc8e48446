/** What stands at paths: asked for once for files, directories, links and absent paths together. */

import { Failure } from '../../errors.ts';
import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import { sha256 } from '../fingerprint.ts';
import type { FileResource, Resource } from '../resource.ts';
import type { Facts, PathFact } from '../state.ts';
import { firewallFiles } from './firewall.ts';
import script from './path-facts.sh' with { type: 'text' };
import { only, type Probe } from './step.ts';

/** Content longer than this is not brought home for a diff. Bytes. */
const LONGEST = 64 * 1024;

/** List of the files that pipeline wrote: whatever stands there now, it is ours to replace. */
export const WRITTEN = '/var/lib/pipeline/written';

const TYPES: Readonly<Record<string, PathFact['type']>> = { f: 'file', d: 'directory', l: 'link' };

/** Files, also those that other kinds keep. */
function filesOf(resources: readonly Resource[]): readonly FileResource[] {
  return [...only(resources, 'file'), ...firewallFiles(resources)];
}

export const pathProbe: Probe<Pick<Facts, 'paths'>> = {
  script: (resources) => {
    const files = filesOf(resources);
    const paths = [...only(resources, 'absent', 'directory', 'link'), ...files].map(({ path }) => path);
    if (paths.length === 0) return '';
    return withValues(script, {
      paths: [...new Set(paths)],
      files: files.map(({ path }) => path),
      hashes: files.map(({ content }) => sha256(content)),
      secrets: files.filter(({ secret }) => secret).map(({ path }) => path),
      longest: String(LONGEST + 1),
      written: WRITTEN,
    });
  },
  parse: (lines) => {
    const paths: Record<string, PathFact> = {};
    for (const line of lines) {
      const [tag = '', ...fields] = line.split('\t');
      if (tag === 'theirs') {
        const [path = ''] = fields;
        const fact = paths[path];
        if (fact !== undefined) paths[path] = { ...fact, theirs: true };
      } else if (tag === 'hash' || tag === 'content') {
        const [path = '', value = ''] = fields;
        const fact = paths[path];
        if (fact?.type !== 'file') continue;
        paths[path] = tag === 'hash' ? { ...fact, sha256: value } : { ...fact, content: textOf(value) };
      } else {
        const [mode = '', owner = '', group = '', path = '', target = ''] = fields;
        const type = TYPES[tag] ?? 'other';
        const common = { type, mode: mode.padStart(4, '0'), owner, group };
        paths[path] = type === 'link' ? { ...common, target } : common;
      }
    }
    return { paths };
  },
};

/** Base64 as text; undefined where it is too long or no text. */
function textOf(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length > LONGEST || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Mode, owner and group as they should be. */
export interface Attributes {
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** With the defaults: root, the group named like the owner. Octal modes with four digits. */
export function attributesOf(
  resource: {
    readonly mode?: string | undefined;
    readonly owner?: string | undefined;
    readonly group?: string | undefined;
  },
  defaultMode: string,
): Attributes {
  const owner = resource.owner ?? 'root';
  return { mode: (resource.mode ?? defaultMode).padStart(4, '0'), owner, group: resource.group ?? owner };
}

/** How they differ, for people; empty: not at all. */
export function attributeDiff(fact: Attributes, wanted: Attributes): readonly string[] {
  const owned = (a: Attributes) => `${a.owner}:${a.group}`;
  return [
    ...(fact.mode === wanted.mode ? [] : [`-mode ${fact.mode}`, `+mode ${wanted.mode}`]),
    ...(owned(fact) === owned(wanted) ? [] : [`-owner ${owned(fact)}`, `+owner ${owned(wanted)}`]),
  ];
}

/** Bash that sets them. The owner first: chown takes away set-user-id bits. */
export function setAttributes(path: string, { mode, owner, group }: Attributes): string {
  return `chown ${quote(`${owner}:${group}`)} ${quote(path)}\nchmod ${quote(mode)} ${quote(path)}`;
}

/** Something of another type stands where this should be, and is not ours to remove. */
export function inTheWay(facts: Facts, path: string, is: string, should: string): Failure {
  return new Failure('host', `${facts.host.name}: ${path} is ${is} and should be ${should}`, {
    host: facts.host.name,
    step: `${should.replace(/^an? /, '')} ${path}`,
    next:
      `Look at it (pipeline prod ssh ${facts.host.name} -- ls -ld ${path}), move it away, ` +
      'and run the command again.',
  });
}
