/** What the script reports while it runs, as events. */

import { REPORT } from './script.ts';

export type Report =
  /** Steps are named by the place of their first change, and how many changes they make. */
  | { readonly kind: 'start' | 'done'; readonly index: number; readonly count: number }
  | {
      readonly kind: 'failed';
      readonly index: number;
      readonly count: number;
      readonly exitCode: number;
      readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
    }
  /** New firewall rules wait for a second connection. */
  | { readonly kind: 'probe'; readonly table: string }
  | { readonly kind: 'finished' };

/** One line of the script's output as a report; undefined: a line that a step printed. */
export function parseReport(line: string): Report | undefined {
  if (!line.startsWith(REPORT)) return undefined;
  const [kind, ...words] = line.slice(REPORT.length).split(' ');
  const [index = 0, count = 0, exitCode = 0, freeBytes, totalBytes] = words.map(Number);
  switch (kind) {
    case 'start':
    case 'done':
      return { kind, index, count };
    case 'failed': {
      const disk =
        freeBytes === undefined || totalBytes === undefined ? undefined : { freeBytes, totalBytes };
      return { kind, index, count, exitCode, disk };
    }
    case 'probe':
      return { kind, table: words[0] ?? '' };
    case 'finished':
      return { kind };
    default:
      return undefined;
  }
}

const DOING: Readonly<Record<string, string>> = {
  Unpacking: 'unpacking',
  'Setting up': 'setting up',
  Removing: 'removing',
};

/** The package that dpkg is busy with, from a line of its output. */
export function packageInLine(line: string): { readonly doing: string; readonly name: string } | undefined {
  const [, verb = '', name = ''] = /^(Unpacking|Setting up|Removing) ([a-z0-9][a-z0-9+.-]+)/.exec(line) ?? [];
  const doing = DOING[verb];
  return doing === undefined ? undefined : { doing, name };
}
