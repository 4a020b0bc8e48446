/**
 * The pages of the documentation: links lead somewhere, commands exist, and each page opens with an example.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMON_OPTIONS, type CommandDefinition } from '../src/cli/command.ts';
import { definitions } from '../src/cli/definitions.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const COMMANDS = new Map<string, CommandDefinition>(
  Object.values<CommandDefinition>(definitions).map((definition) => [definition.path, definition]),
);

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

const FENCED = /^( *)```\w*\n([\s\S]*?)^\1```/gm;

/** GitHub's anchors of a page's headings. */
function anchors(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(FENCED, '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** What leads nowhere: files that are not there, and headings that no page has. */
function brokenLinks(page: string): string[] {
  const text = read(page).replaceAll(FENCED, '');
  const targets = [
    ...Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target),
    ...Array.from(text.matchAll(/(?:src|srcset)="([^"]+)"/g), ([, target = '']) => target),
  ];
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchors(readFileSync(file, 'utf8')).has(anchor);
  });
}

/** Command lines of the program, in blocks and within sentences. */
function commandLines(text: string): string[] {
  const blocks = Array.from(text.matchAll(FENCED), ([, , block = '']) => block.split('\n')).flat();
  const spans = text.replaceAll(FENCED, '').matchAll(/`([^`]+)`/g);
  const lines = [...blocks, ...Array.from(spans, ([, span = '']) => span.replaceAll(/\s+/g, ' '))];
  return lines.flatMap((line) => {
    // In a block a description may follow, after a # or some spaces.
    const [, words] = /^(?:\$ |bin\/)?pipeline (\S.*?)(?: {2,}.*| # .*)?$/.exec(line.trim()) ?? [];
    return words === undefined ? [] : [words];
  });
}

/** Why the program would not take the line; undefined where it would. */
function mistake(line: string): string | undefined {
  const words = line.split(/\s+/);
  const path = [words.slice(0, 2).join(' '), words[0] ?? ''].find((candidate) => COMMANDS.has(candidate));
  const command = path === undefined ? undefined : COMMANDS.get(path);
  if (command === undefined) return `${line}: no such command`;
  const known = [...Object.values(COMMON_OPTIONS), ...Object.values(command.options ?? {})];
  const flags = new Set([...known.flatMap(({ flags }) => flags.match(/(?<!\S)--?[\w-]+/g) ?? []), '--help']);
  const end = words.indexOf('--');
  const given = (end < 0 ? words : words.slice(0, end)).filter((word) => word.startsWith('-'));
  const unknown = given.filter((word) => word !== '-' && !flags.has(word));
  return unknown.length === 0 ? undefined : `${line}: no option ${unknown.join(', ')}`;
}

describe.each(PAGES)('%s', (page) => {
  it('has links that lead somewhere', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names commands and options that there are', () => {
    const mistakes = commandLines(read(page)).flatMap((line) => mistake(line) ?? []);
    expect(mistakes).toEqual([]);
  });

  it('opens with an example or a diagram', () => {
    const start = read(page).split('\n').slice(0, 14).join('\n');
    expect(start).toMatch(/^```/m);
  });
});

describe('what these tests go by', () => {
  it('finds command lines in blocks and sentences', () => {
    const text =
      'Run `pipeline prod up`:\n\n```\n$ pipeline deploy shop v2.1   a tag\npipeline releases ' +
      'shop # all\n```\n';
    expect(commandLines(text)).toEqual(['deploy shop v2.1', 'releases shop', 'prod up']);
  });

  it('sees a command and an option that are none', () => {
    expect(mistake('prod upp')).toContain('no such command');
    expect(mistake('prod up --colour blue')).toContain('no option --colour');
    expect(mistake('prod ssh web -- ls -l')).toBeUndefined();
  });
});
