/** Reads what a question asks for: bounded in lines, in size and in time. */
import { spawn } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { AgentConfig } from '../../contract/agent.ts';
import { type LogsAnswered, type LogsAsked, MOST_CHARACTERS, MOST_MS } from '../../contract/logs.ts';
import { type Colour, colourLink, PLACED_LOG } from '../../contract/places.ts';
import { LOGS } from '../../contract/proxy-paths.ts';
import { hidingLines } from '../../logs/hide.ts';
import { beginningsAlone, FIELDS, type JournalEntry, parseEntry } from '../../logs/journal.ts';
import { type LogLine, lineOfEntry, lineOfRequest } from '../../logs/line.ts';
import { mergeInOrder } from '../../logs/merge.ts';
import { type Placement, parsePlacement, releaseAt } from '../../logs/placed.ts';
import { parseRequest } from '../../logs/request.ts';
import { splitLines } from '../../logs/split-lines.ts';
import { sourceOf } from '../../logs/units.ts';
import { isWanted } from '../../logs/wanted.ts';
import { linesBackwards } from './backwards.ts';
import { unitsToRead } from './declared.ts';

/** Of a request log, from its end. */
const MOST_OF_A_LOG = 64 * 1024 * 1024;

export async function readLogs(
  asked: LogsAsked,
  { units, logs }: Pick<AgentConfig, 'units' | 'logs'>,
): Promise<LogsAnswered> {
  const globs = unitsToRead(asked, units);
  if (globs === undefined) return { lines: [], more: '', trouble: 'its configuration declares no such unit' };
  const time = AbortSignal.timeout(MOST_MS);
  const hasRequests =
    asked.requests === 'yes' && asked.app !== undefined && logs.some(({ server }) => server === 'nginx');
  const streams = [journalLines(asked, globs, time), ...(hasRequests ? [requestLines(asked, time)] : [])];
  const lines: LogsAnswered['lines'][number][] = [];
  let more: LogsAnswered['more'] = '';
  let size = 0;
  for await (const { host: _, ...line } of mergeInOrder(streams, (a, b) => b.at - a.at)) {
    size += JSON.stringify(line).length + 1;
    if (lines.length >= asked.lines) more = 'lines';
    else if (size > MOST_CHARACTERS) more = 'size';
    if (more !== '') break;
    lines.push(line);
  }
  if (more === '' && time.aborted) more = 'time';
  return { lines: lines.reverse(), more, trouble: '' };
}

/** The latest first. */
async function* journalLines(
  asked: LogsAsked,
  globs: readonly string[],
  time: AbortSignal,
): AsyncGenerator<LogLine> {
  const placements = asked.app === undefined ? [] : placementsOf(asked.app);
  const hide = hidingLines([]);
  const shown = (entry: JournalEntry): LogLine[] => {
    const source = sourceOf(entry, asked.app);
    const standing = { host: '', source, release: releaseAt(placements, source, entry.at) };
    const line = lineOfEntry(entry, standing, hide(source));
    return isWanted(line, wantedOf(asked)) ? [line] : [];
  };
  for await (const entry of beginningsAlone(journalEntries(asked, globs, time))) yield* shown(entry);
}

async function* journalEntries(
  { from, to, text }: LogsAsked,
  globs: readonly string[],
  time: AbortSignal,
): AsyncGenerator<JournalEntry> {
  const args = [
    ...[
      '--quiet',
      '--no-pager',
      '--reverse',
      '--all',
      '--output=json',
      `--output-fields=${FIELDS.join(',')}`,
    ],
    ...[`--since=@${(from / 1000).toFixed(6)}`, `--until=@${(to / 1000).toFixed(6)}`],
    ...globs.map((glob) => `--unit=${glob}`),
    ...(text === undefined ? [] : [`--grep=${literally(text)}`, '--case-sensitive=no']),
  ];
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  const end = () => child.kill('SIGKILL');
  time.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([failed, new Promise((resolve) => child.once('spawn', resolve))]);
    for await (const { text: line, isCut } of splitLines(child.stdout)) {
      const entry = parseEntry(line, isCut);
      if (entry !== undefined) yield entry;
      if (time.aborted) return;
    }
  } finally {
    time.removeEventListener('abort', end);
    end();
  }
}

/** A text as a pattern that matches it and nothing else. */
function literally(text: string): string {
  return text.replace(/[^\w]/g, (character) =>
    character.charCodeAt(0) < 128 ? `\\${character}` : character,
  );
}

/** The latest first; of today's log and the one before it. */
async function* requestLines(asked: LogsAsked, time: AbortSignal): AsyncGenerator<LogLine> {
  const hide = hidingLines([])('nginx');
  const file = `${LOGS}/${asked.app}.json.log`;
  for (const path of [file, `${file}.1`]) {
    for (const text of linesBackwards(path, MOST_OF_A_LOG)) {
      const request = parseRequest(text);
      if (time.aborted) return;
      if (request === undefined) continue;
      // Each worker of nginx writes on its own: the order is out by a moment.
      if (request.at < asked.from - 60_000) return;
      const line = lineOfRequest(request, '', hide);
      if (isWanted(line, wantedOf(asked))) yield line;
    }
  }
}

function wantedOf({ from, to, level, release, text }: LogsAsked) {
  const words = text?.toLowerCase();
  return {
    since: from,
    until: to,
    level,
    release,
    ...(words === undefined ? {} : { grep: { test: (line: string) => line.toLowerCase().includes(words) } }),
  };
}

/** What the host noted, and for older deploys when each colour's link was made. */
function placementsOf(app: string): readonly Placement[] {
  const noted = ifThere(() => readFileSync(PLACED_LOG, 'utf8')) ?? '';
  const links = (['blue', 'green'] as const).flatMap((colour: Colour) => {
    const link = colourLink(app, colour);
    const made = ifThere(() => ({ at: lstatSync(link).mtimeMs, release: basename(readlinkSync(link)) }));
    return made === undefined ? [] : [{ ...made, colour }];
  });
  const own = noted
    .split('\n')
    .flatMap((line) => (line.endsWith(` ${app}`) ? (parsePlacement(line) ?? []) : []));
  return [...own, ...links];
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
