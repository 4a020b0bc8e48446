/** `pipeline rollout …`: see a rollout, and say what is to become of it. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hasEnded, type RolloutStatus, type RolloutWord } from '../../contract/rollout.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import type { AppOnHosts, ReleaseHost } from '../../release/index.ts';
import {
  clearRollout,
  dividerOf,
  followRollout,
  rolloutReport,
  rolloutStatus,
  tellRollout,
} from '../../release/rollout.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type CommandResult, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import {
  rolloutEnd,
  rolloutExitCode,
  rolloutFrame,
  rolloutIntroduction,
  rolloutLine,
} from '../rollout-view.ts';

/** Without a terminal a line is printed this often. */
const LINE_EVERY_MS = 10_000;

export const status: Handler<typeof definitions.rolloutStatus> = async (options, session) =>
  withDivider(session, options.inventory, async (host, app, all) => {
    const now = known(app, await rolloutStatus(host, app, session.context));
    if (hasEnded(now.phase)) await clearRollout(all, session.context, now);
    const { output } = session;
    output.line(`${app}: ${now.baseline.release} and ${now.candidate.release}`);
    for (const line of rolloutFrame(now, output.colors)) output.line(line);
    for (const { at, kind, percent, why } of now.events) {
      output.line(
        `  ${at.slice(0, 19).replace('T', ' ')}  ${kind} ${percent} %${why === '' ? '' : `  ${why}`}`,
      );
    }
    for (const line of rolloutEnd(now, output.colors)) output.line(line);
    if (options.save !== undefined) await save(options.save, host, app, session);
    return { json: now, exitCode: rolloutExitCode(now.phase) };
  });

async function save(file: string, host: ReleaseHost, app: string, { context }: Session): Promise<void> {
  const text = known(app, await rolloutReport(host, app, context));
  await writeFile(resolve(context.cwd, file), `${text}\n`);
}

export const watch: Handler<typeof definitions.rolloutWatch> = async (options, session) =>
  withDivider(session, options.inventory, (host, name, app) => watchRollout(host, name, app, session));

export const pause = telling('pause');
export const resume = telling('resume');
export const promote = telling('promote');
export const abort = telling('abort');

/** Shows it to its end, or until a person is needed. */
export async function watchRollout(
  host: ReleaseHost,
  app: string,
  all: AppOnHosts,
  session: Session,
): Promise<CommandResult> {
  const { output, context } = session;
  let introduced = false;
  let lastLine = 0;
  let steps = 0;
  let seen: RolloutStatus | undefined;
  const onStatus = (now: RolloutStatus) => {
    seen = now;
    if (!introduced && !hasEnded(now.phase)) for (const line of rolloutIntroduction(now)) output.line(line);
    introduced = true;
    for (const { kind, percent, why } of now.events.slice(steps)) {
      if (kind === 'step') output.line(`  ${percent} % of visitors: ${why}`);
      if (kind === 'paused' || kind === 'resumed') output.line(`  ${kind}: ${why}`);
    }
    steps = now.events.length;
    if (output.interactive) output.live(['', ...rolloutFrame(now, output.colors)]);
    else if (Date.parse(now.at) - lastLine >= LINE_EVERY_MS && !hasEnded(now.phase)) {
      lastLine = Date.parse(now.at);
      output.line(rolloutLine(now));
    }
  };
  let last: RolloutStatus;
  try {
    last = known(app, await followRollout(host, app, context, onStatus));
  } catch (error) {
    if (!context.signal.aborted) throw error;
    output.live([]);
    output.line(`The rollout goes on. Look again: pipeline rollout watch ${app}`);
    return { json: seen ?? null, exitCode: EXIT_CODES.interrupted };
  }
  output.live([]);
  if (hasEnded(last.phase)) await clearRollout(all, context, last);
  output.line();
  for (const line of [...rolloutFrame(last, output.colors), '', ...rolloutEnd(last, output.colors)])
    output.line(line);
  return { json: last, exitCode: rolloutExitCode(last.phase) };
}

function telling(word: RolloutWord): Handler<typeof definitions.rolloutPause> {
  return async (options, session) =>
    withDivider(session, options.inventory, async (host, app, all) => {
      await tellRollout(host, app, word, session.context);
      const now = known(app, await rolloutStatus(host, app, session.context));
      if (hasEnded(now.phase)) await clearRollout(all, session.context, now);
      for (const line of rolloutEnd(now, session.output.colors)) session.output.line(line);
      return { json: now };
    });
}

function known<T>(app: string, what: T | undefined): T {
  if (what !== undefined) return what;
  throw new Failure('usage', `${app} never had a rollout`, {
    next: `Begin one with pipeline deploy ${app} REF --canary`,
  });
}

/** The host that divides the visitors. */
function withDivider<T>(
  session: Session,
  inventory: string | undefined,
  work: (host: ReleaseHost, name: string, app: AppOnHosts) => Promise<T>,
): Promise<T> {
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, inventory, (app) => work(dividerOf(app), name, app));
}
