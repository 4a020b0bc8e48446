/** The last resort: a command that runs unless its guard says that it is done. */

import { quote } from '../../ssh/quote.ts';
import type { CommandResource } from '../resource.ts';
import type { Facts } from '../state.ts';
import { type Compare, only, type Probe } from './step.ts';

/** Seconds that a guard may take. */
const GUARD_LIMIT = 20;

export const commandProbe: Probe<Pick<Facts, 'commands'>> = {
  // The text goes in by a file descriptor: on a command line every user of the host could read it.
  script: (resources) =>
    only(resources, 'command')
      .map(
        ({ unless }, index) =>
          `timeout ${GUARD_LIMIT} bash /dev/fd/3 3<<<${quote(`${unless}\n`)} </dev/null >/dev/null ` +
          `2>&1 && echo ${index}`,
      )
      .join('\n'),
  parse: (lines, resources) => {
    const done = new Set(lines);
    return {
      commands: Object.fromEntries(
        only(resources, 'command').map(({ name }, index) => [name, done.has(String(index))]),
      ),
    };
  },
};

export const compareCommand: Compare<CommandResource> = (resource, facts, around) => {
  const due = around.due(resource, resource.after ?? []);
  if (facts.commands[resource.name] && due === undefined) return undefined;
  // Evaluated, so that a mistake in the text fails this step instead of the whole script.
  const run = `set -o pipefail\neval ${quote(`${resource.run}\n`)}`;
  return {
    action: 'run',
    diff: resource.secret
      ? []
      : resource.run
          .trim()
          .split('\n')
          .map((line) => `+${line}`),
    reason: due?.reason,
    because: due?.because,
    doing: resource.name,
    script: resource.secret ? `exec >/dev/null 2>&1\n${run}` : run,
  };
};
