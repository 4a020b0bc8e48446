/** Why a step failed, told from what it printed: pure. */

import { Failure } from '../errors.ts';
import { bytes } from '../format.ts';
import type { Change } from './change.ts';
import { CUT_OFF, REFUSED } from './script.ts';

/** A step that ended badly. */
export interface FailedStep {
  readonly host: string;
  /**
   * Every change of the plan, and the place of the first one of the step; a transaction of packages makes
   * several.
   */
  readonly changes: readonly Change[];
  readonly index: number;
  readonly count: number;
  readonly exitCode: number;
  /** What the step printed, free of secrets. */
  readonly output: readonly string[];
  /** The file system with the least room, as the host reported it. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  /** What the second connection met that should have proved new firewall rules, where it failed. */
  readonly probe?: string | undefined;
}

interface Cause {
  readonly next: string;
  /** The lines that tell of it; absent: the last lines. */
  readonly lines?: RegExp | undefined;
}

const AGAIN = 'then run the command again: it goes on from here';
const LAST_LINES = 10;

/**
 * @returns the failure: host, step n of N, exit code, last lines, cause where it is recognised, next step.
 */
export function explainStep(failed: FailedStep): Failure {
  const { host, changes, index, exitCode, output } = failed;
  const change = changes[culprit(failed)] ?? changes[index];
  const step = change?.id ?? 'a step';
  const number = changes.indexOf(change as Change) + 1;
  const cause = causeOf(failed, step);
  const telling =
    cause.lines === undefined ? [] : [...new Set(output)].filter((line) => cause.lines?.test(line));
  return new Failure(
    'host',
    `${host}: step ${number} of ${changes.length}, ${step}, failed (${program(step)}exit ${exitCode})`,
    {
      host,
      step,
      output: (telling.length > 0 ? telling : output.filter((line) => line.trim() !== '')).slice(-LAST_LINES),
      next:
        `${cause.next}\nThe whole output: the same command with --verbose, or ` +
        '/var/log/pipeline/converge.log on the host.',
    },
  );
}

/** In a transaction of packages, the one that apt complains of. */
function culprit({ changes, index, count, output }: FailedStep): number {
  if (count === 1) return index;
  const complaint = output.findLast((line) =>
    /^(E:|dpkg: error processing|Errors were encountered)|^ +\S+ :/.test(line),
  );
  const words = new Set(complaint?.split(/[^a-z0-9+.-]+/));
  const found = changes
    .slice(index, index + count)
    .findIndex(({ id }) => words.has(id.replace(/^package /, '')));
  return found === -1 ? index : index + found;
}

function program(step: string): string {
  if (step.startsWith('package')) return 'apt-get ';
  return step.startsWith('service ') ? 'systemctl ' : '';
}

/** What told the cause: the exit code of our own script alone, or words of the program that failed. */
function causeOf(failed: FailedStep, step: string): Cause {
  const text = failed.output.join('\n');
  if (FULL.test(text)) return { lines: FULL, next: fullDisk(failed) };
  if (failed.exitCode === CUT_OFF) return { next: cutOff(failed) };
  if (failed.exitCode === REFUSED) return { next: REFUSED_CONTENT };
  const known = step.startsWith('package') ? PACKAGE_TROUBLES.find(({ when }) => when.test(text)) : undefined;
  if (known !== undefined) return { next: known.next(text, failed.host, step), lines: known.lines };
  if (step.startsWith('service ')) {
    const unit = step.replace(/^service /, '');
    return {
      next: `Its journal: pipeline prod ssh ${failed.host} -- journalctl -u ${unit}. Mend it, ${AGAIN}.`,
    };
  }
  return { next: `Mend what it complains of, ${AGAIN}.` };
}

const FULL = /No space left on device|You don't have enough free space|disk quota exceeded/i;

function fullDisk({ host, disk }: FailedStep): string {
  const what =
    disk === undefined
      ? `The disk of ${host} is full`
      : `The host has ${bytes(disk.freeBytes)} free of ${bytes(disk.totalBytes)}`;
  return `${what}. Make room or give it a larger size, ${AGAIN}.`;
}

function cutOff({ probe }: FailedStep): string {
  return (
    'With the new rules a second SSH connection did not come ' +
    `through${probe === undefined ? '' : ` (${probe})`}, so the host took them back. Let your own ` +
    'address reach the SSH port (operators in pipeline.yml), then run the command again.'
  );
}

const REFUSED_CONTENT =
  'The new content was refused before it was put in place; what stood there before still stands. ' +
  'Correct the content, then run the command again.';

interface PackageTrouble {
  readonly when: RegExp;
  readonly lines?: RegExp;
  readonly next: (text: string, host: string, step: string) => string;
}

const UNREACHABLE = new RegExp(
  [
    'Temporary failure resolving',
    'Could not (resolve|connect)',
    'Network is unreachable',
    'Connection timed out',
    'Cannot initiate the connection',
    'Unable to connect',
  ].join('|'),
  'i',
);
const UNKNOWN = /Unable to locate package|has no installation candidate/;

/** What apt complains of, in the order of how much each explains. */
const PACKAGE_TROUBLES: readonly PackageTrouble[] = [
  {
    when: /Could not get lock|dpkg frontend lock|is held by process/,
    lines: /lock/i,
    next: (text, host) => {
      const holder = /held by process (\d+)(?: \(([^)]+)\))?/.exec(text);
      const who = holder === null ? 'another program' : `${holder[2] ?? 'process'} (${holder[1]})`;
      return (
        `Packages are being changed by ${who}, for longer than we wait. See what it does (pipeline prod ` +
        `ssh ${host} -- ps aux), ${AGAIN}.`
      );
    },
  },
  {
    when: UNREACHABLE,
    lines: UNREACHABLE,
    next: () =>
      'The host does not reach its package sources. Look at its network, its name service and its ' +
      `proxy (/etc/apt/apt.conf.d), ${AGAIN}.`,
  },
  {
    when: UNKNOWN,
    lines: UNKNOWN,
    next: (text, _host, step) => {
      const name = /(?:Unable to locate package|Package) '?([a-z0-9+.-]+)/.exec(text)?.[1] ?? step;
      return (
        `No package source of the host has ${name}. Look for the name in its release (apt-cache ` +
        `search), or add the source that has it (/etc/apt/sources.list.d), ${AGAIN}.`
      );
    },
  },
  {
    when: /but no removal|Packages need to be removed but remove is disabled/i,
    next: (_text, host, step) =>
      'apt would have to remove other packages, which pipeline does not do by itself. See what stands ' +
      `in the way: pipeline prod ssh ${host} -- apt-get install --simulate ${step.replace(/^package /, '')}`,
  },
];
