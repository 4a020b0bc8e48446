/** `--replay`: what production was asked, from its request logs or a file. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Replay,
  replayOf,
  type ServedRequest,
  servedRequest,
  shownRequest,
} from '../canary/load/replay.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import { unreadableWords } from '../files.ts';
import { hidingLines } from '../logs/hide.ts';
import { everything } from '../logs/remote/read.ts';
import { RequestSource } from '../logs/remote/requests.ts';
import { parseWhen } from '../logs/when.ts';
import { secretsIn } from '../redact.ts';
import { connect } from '../ssh/openssh.ts';
import { appOf } from './app-hosts.ts';
import type { Session } from './command.ts';
import { findSubject } from './logs/subject.ts';

/** Requests of production that are read at most; the latest hour of a busy site has that many. */
const MOST = 500_000;

/**
 * @param what a time before now (`1h`), or a file
 * @param name the application; absent: the only one
 * @throws Failure kind `usage` where nothing can be replayed; kind `host` where a host cannot be read
 */
export async function readReplay(
  what: string,
  name: string | undefined,
  config: Config,
  session: Session,
): Promise<Replay> {
  const app = name ?? onlyApp(config);
  const { site, canary } = appOf(config, app);
  const since = /^\d+(?:\.\d+)?[smhd]$/.test(what) ? parseWhen(what, session.context.now()) : undefined;
  const served =
    since === undefined
      ? await fromFile(resolve(session.context.cwd, what))
      : await fromHosts(app, since, config, session);
  const paths = { routes: site.routes, exclude: canary?.exclude ?? [] };
  const replay = replayOf(served, paths);
  if (replay !== null) return replay;
  throw new Failure(
    'usage',
    served.length === 0
      ? `${what} has no request of ${app}.`
      : `None of the ${served.length} requests in ${what} can be replayed: only GET and HEAD to the ` +
          'service are.',
    { next: 'Replay a longer time, or write requests down: canary.requests.' },
  );
}

function onlyApp(config: Config): string {
  const all = Object.keys(config.apps);
  const own = all.filter((app) => config.apps[app]?.canary !== undefined);
  const [app] = own.length === 1 ? own : all;
  if (app !== undefined && (own.length === 1 || all.length === 1)) return app;
  throw new Failure('usage', 'Whose requests are to be replayed?', {
    next: `Name the application with --app: ${all.join(', ')}.`,
  });
}

async function fromFile(path: string): Promise<ServedRequest[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${path} cannot be read: ${unreadableWords(error)}`, {
      cause: error,
      next: 'Write it with: pipeline logs APP --requests --since 1h --json > FILE',
    });
  }
  return text
    .split('\n')
    .flatMap((line) => servedRequest(line) ?? [])
    .slice(0, MOST);
}

async function fromHosts(
  app: string,
  since: number,
  config: Config,
  session: Session,
): Promise<ServedRequest[]> {
  const { context } = session;
  const subject = await findSubject(app, { inventory: undefined, host: undefined }, config, session);
  // Where a balancer divides the visitors, its log has each of them once.
  const targets = subject.balancers.length > 0 ? subject.balancers : subject.targets;
  const connections = targets.map((target) => connect(target, context));
  context.progress({ stage: 'reading requests of production', state: 'started' });
  try {
    const sources = connections.map(
      (connection) =>
        new RequestSource({
          connection,
          question: { app, since },
          wanted: { since },
          hiding: async () => hidingLines(secretsIn(context.env)),
          signal: context.signal,
        }),
    );
    const served: ServedRequest[] = [];
    for await (const line of everything(sources, FAILING)) {
      const request = shownRequest(line);
      if (request !== undefined) served.push(request);
      if (served.length >= MOST) break;
    }
    context.progress({ stage: 'reading requests of production', state: 'done', detail: `${served.length}` });
    return served;
  } catch (error) {
    context.progress({ stage: 'reading requests of production', state: 'failed' });
    throw error;
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** A load without one of the hosts would not be production's. */
const FAILING = {
  failed(_: string, failure: Failure): never {
    throw failure;
  },
  isBack() {},
};
