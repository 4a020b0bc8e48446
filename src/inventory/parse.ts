/** Reads an inventory in Ansible's INI format, as Ansible's own parser does (plugins/inventory/ini.py). */
import { closest, Failure } from '../errors.ts';
import { type Declarations, GroupTree } from './groups.ts';
import { parseValue } from './literal.ts';
import type { Inventory } from './model.ts';
import { expandRanges, splitPort } from './pattern.ts';
import { splitWords } from './shlex.ts';

/** One mistake, with its line counted from 1. */
export interface InventoryMistake {
  readonly line: number;
  readonly message: string;
}

type Section = { readonly group: string; readonly kind: 'hosts' | 'vars' | 'children' };

/**
 * The inventory in `text`.
 * @param path where the text comes from, for messages
 * @throws Failure `usage` that names every mistake with its line.
 */
export function parseInventory(text: string, path: string): Inventory {
  const mistakes: InventoryMistake[] = [];
  const tree = new GroupTree();
  let section: Section | undefined = { group: 'ungrouped', kind: 'hosts' };
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const at = index + 1;
    try {
      const header = parseHeader(line);
      if (header !== undefined) {
        section = header;
        tree.declare(header.group, header.kind, at);
      } else if (section !== undefined) {
        readEntry(tree, section, line, at);
      }
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      mistakes.push({ line: at, message: error.message });
      // What follows a header that cannot be read belongs to no group that is known.
      if (line.startsWith('[') && line.endsWith(']')) section = undefined;
    }
  }
  mistakes.push(...undeclared(tree), ...tree.loops());
  if (mistakes.length > 0) throw inventoryFailure(path, mistakes);
  return tree.resolve(path);
}

function parseHeader(line: string): Section | undefined {
  const match = /^\[([^:\]\s]+)(?::([\p{L}\p{N}_]+))?\]\s*(?:#.*)?$/u.exec(line);
  if (match !== null) {
    const [, group = '', kind = 'hosts'] = match;
    if (kind === 'hosts' || kind === 'vars' || kind === 'children') return { group, kind };
    const guess = closest(kind, ['hosts', 'vars', 'children']);
    throw new SyntaxError(
      'unknown kind of section ' +
        `"${kind}"${guess === undefined ? ': it can be :vars or :children' : `, did you mean "${guess}"?`}`,
    );
  }
  if (line.startsWith('[') && line.endsWith(']')) {
    throw new SyntaxError(
      `${line} is not a section header: expected [group], [group:vars] or [group:children] without spaces`,
    );
  }
  return undefined;
}

function readEntry(tree: GroupTree, section: Section, line: string, at: number): void {
  if (section.kind === 'hosts') {
    readHosts(tree, section.group, line);
  } else if (section.kind === 'vars') {
    const equals = line.indexOf('=');
    if (equals === -1) throw new SyntaxError(`expected key=value, got: ${line}`);
    tree.setGroupVar(section.group, line.slice(0, equals).trim(), parseValue(line.slice(equals + 1).trim()));
  } else {
    const child = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line)?.[1];
    if (child === undefined) throw new SyntaxError(`expected the name of a group, got: ${line}`);
    tree.addChild(section.group, child, at);
  }
}

/** `web[01:03] ansible_port=2222 note="a b"` */
function readHosts(tree: GroupTree, group: string, line: string): void {
  const [pattern = '', ...assignments] = splitWords(line, { comments: true });
  const { host, port } = splitPort(pattern);
  if (pattern.trim().endsWith(':') && port === undefined) {
    throw new SyntaxError(`the host pattern ${pattern} ends in ":": a port must follow it`);
  }
  if (pattern === '') throw new SyntaxError('a host needs a name');
  if (pattern === '---')
    throw new SyntaxError('"---" begins a YAML file: the inventory must be in INI format');
  const vars = assignments.map((word): [string, ReturnType<typeof parseValue>] => {
    const equals = word.indexOf('=');
    if (equals === -1) {
      const hint = word.startsWith(';') ? ' (a comment at the end of a line begins with "#")' : '';
      throw new SyntaxError(`expected key=value after the host, got: ${word}${hint}`);
    }
    return [word.slice(0, equals), parseValue(word.slice(equals + 1))];
  });
  for (const name of expandRanges(host)) tree.addHost(group, name, port, vars);
}

/** A group needs a section of hosts or children; to give it variables or a parent is not enough. */
function undeclared({ declared, references }: Declarations): InventoryMistake[] {
  return references
    .filter(({ group }) => !declared.has(group))
    .map(({ group, by, line }) => {
      const guess = closest(group, declared);
      const hint = guess === undefined ? `: add a section [${group}]` : `, did you mean "${guess}"?`;
      return {
        line,
        message:
          by === undefined
            ? `[${group}:vars] is for a group that does not exist${hint}`
            : `[${by}:children] names a group that does not exist: ${group}${hint}`,
      };
    });
}

function inventoryFailure(path: string, mistakes: readonly InventoryMistake[]): Failure {
  const lines = [...mistakes]
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `${path}:${line}: ${message}`);
  const [first = ''] = lines;
  if (lines.length === 1)
    return new Failure('usage', first, { next: 'Correct the line and run the command again.' });
  return new Failure('usage', `${path} has ${lines.length} mistakes`, {
    output: lines,
    next: 'Correct these lines and run the command again.',
  });
}
