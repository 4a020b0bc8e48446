/** What the options of `pipeline logs` ask for. Pure. */
import { Failure } from '../../errors.ts';
import { LEVELS } from '../../logs/level.ts';
import type { LogQuestion } from '../../logs/remote/source.ts';
import { parseStatuses } from '../../logs/request.ts';
import { searching, type Wanted } from '../../logs/wanted.ts';
import { parseWhen } from '../../logs/when.ts';
import type { OptionValues } from '../command.ts';
import type { definitions } from '../definitions.ts';

export type LogOptions = OptionValues<typeof definitions.logs.options>;

export interface Asked {
  readonly question: LogQuestion;
  readonly wanted: Wanted;
  readonly follow: boolean;
  /** Lines of the past; undefined: all since the beginning. */
  readonly count: number | undefined;
  readonly journal: boolean;
  readonly requests: boolean;
}

const USUAL_LINES = 200;
const LINES_BEFORE_FOLLOWING = 10;
const MOST_LINES = 50_000;

/** @throws Failure `usage` with every mistake */
export function readOptions(options: LogOptions, now: Date): Asked {
  const mistakes: string[] = [];
  const { since, until, lines, grep, level, release, colour, status, unit, follow } = options;
  const when = (name: string, text: string | undefined) => {
    const at = text === undefined ? undefined : parseWhen(text, now);
    if (text !== undefined && at === undefined)
      mistakes.push(`--${name}: "${text}" is no time: write 15m, 1h, 14:05 or "2026-11-29 14:05"`);
    return at;
  };
  const [from, to] = [when('since', since), when('until', until)];
  if (from !== undefined && to !== undefined && from > to) mistakes.push('--since is later than --until');
  if (follow && until !== undefined) mistakes.push('-f has no end: leave --until out');
  if (lines !== undefined && !(Number.isInteger(lines) && lines >= 0 && lines <= MOST_LINES))
    mistakes.push(`-n takes 0 to ${MOST_LINES}: for more, give --since`);
  const statuses = status === undefined ? undefined : parseStatuses(status);
  if (status !== undefined && statuses === undefined)
    mistakes.push(`--status: "${status}" is no status: write 5xx, 404 or 500-504`);
  const pattern = regexOf(grep, mistakes);
  if (mistakes.length > 0)
    throw new Failure('usage', mistakes[0] ?? '', {
      output: mistakes.slice(1),
      next: 'Correct it, then run the command again. All options: pipeline logs --help',
    });
  const common = {
    level: LEVELS.find((one) => one === level),
    release,
    colour: colour === 'blue' || colour === 'green' ? colour : undefined,
    since: from,
    until: to,
    statuses,
  } as const;
  const usual = follow ? LINES_BEFORE_FOLLOWING : USUAL_LINES;
  return {
    question: { ...common, grep, unit },
    wanted: { ...common, grep: pattern },
    follow,
    count: lines ?? (from === undefined ? usual : undefined),
    journal: status === undefined,
    requests: options.requests || status !== undefined,
  };
}

function regexOf(grep: string | undefined, mistakes: string[]): RegExp | undefined {
  if (grep === undefined) return undefined;
  try {
    return searching(grep);
  } catch (error) {
    mistakes.push(`--grep: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}`);
    return undefined;
  }
}
