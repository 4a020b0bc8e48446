/** The host's own programs and files, for backups. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { rename, statfs } from 'node:fs/promises';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { realHost } from '../real/host.ts';
import { isLocked } from '../real/lock.ts';
import { Counter, Opener, sealOf } from './seal.ts';
import type { BackupWorld, Command, Passage, Piped, Ran } from './world.ts';

/** Of a program's output, its end is kept: what it says last is why it failed. */
const KEPT = 16 * 1024 ** 2;
/** How soon a stream gives way. */
const ASK_MS = 1000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Ends with this program, however that dies: a stream that ends early must not count as whole. */
function begin({ program, args, env }: Command): Child {
  return spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
  });
}

/** With what it started itself. */
function killAll({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function keep(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-KEPT);
  });
  return () => text;
}

function ended(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 255));
  });
}

async function run(
  command: Command,
  { input = '', timeoutMs }: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Ran> {
  const child = begin(command);
  const [out, err] = [keep(child.stdout), keep(child.stderr)];
  let isLate = false;
  const timer =
    timeoutMs &&
    setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
  // A program that ends without reading its input says why by its code.
  child.stdin.on('error', () => {}).end(input);
  const code = await ended(child);
  clearTimeout(timer);
  const late = isLate ? `\nno answer within ${(timeoutMs ?? 0) / 1000} s` : '';
  return { code: isLate ? 124 : code, out: out(), err: `${err()}${late}` };
}

async function pipe(
  from: Command,
  to: Command | undefined,
  passage: Passage | undefined,
  stop?: () => Promise<boolean>,
): Promise<Piped> {
  const source = begin(from);
  let stopped = false;
  let said = 0;
  const asking = setInterval(async () => {
    // Twice: a look at the application holds its lock for a moment too.
    said = (await stop?.()) ? said + 1 : 0;
    if (said < 2) return;
    stopped = true;
    killAll(source);
  }, ASK_MS);
  try {
    return { ...(await flow(source, to, passage)), stopped };
  } finally {
    clearInterval(asking);
  }
}

async function flow(
  source: Child,
  to: Command | undefined,
  passage: Passage | undefined,
): Promise<Omit<Piped, 'stopped'>> {
  source.stdin.on('error', () => {}).end();
  const sourceErr = keep(source.stderr);
  const sourceEnd = ended(source);
  const counter = passage === 'open' ? new Opener() : new Counter();
  if (to === undefined) {
    await Promise.all([pipeline(source.stdout, counter, drain), sourceEnd]);
    const code = await sourceEnd;
    return result(code, sourceErr(), { code: 0, out: '', err: '' }, counter);
  }
  const sink = begin(to);
  const [out, err] = [keep(sink.stdout), keep(sink.stderr)];
  const sinkEnd = ended(sink);
  // Where the sink fails first, its code says why.
  await pipeline(source.stdout, counter, inputOf(sink, sinkEnd)).catch(() => killAll(source));
  const code = await sourceEnd;
  const isGood = code === 0 && (!(counter instanceof Opener) || counter.whole);
  if (!isGood) killAll(sink);
  else if (passage === 'seal') sink.stdin.end(sealOf(counter.sha256));
  else sink.stdin.end();
  const sinkCode = await sinkEnd;
  return result(code, sourceErr(), { code: sinkCode, out: out(), err: err() }, counter);
}

/**
 * What a program reads, left open at the end. One that has ended well had enough, as an archive's reader has
 * at the archive's own end: the rest passes all the same, to be counted.
 */
function inputOf(sink: Child, sinkEnd: Promise<number>): Writable {
  sink.stdin.on('error', () => {});
  return new Writable({
    write(part, _encoding, done) {
      sink.stdin.write(part, (error) => {
        if (!error) return done();
        void sinkEnd.then((code) => done(code === 0 ? null : error), done);
      });
    },
  });
}

async function drain(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of parts);
}

function result(code: number, err: string, to: Ran, counter: Counter): Omit<Piped, 'stopped'> {
  const whole = counter instanceof Opener ? counter.whole : true;
  return { from: { code, err }, to, bytes: counter.bytes, sha256: counter.sha256, whole };
}

export const realWorld: BackupWorld = {
  files: {
    read: realHost.read,
    write: realHost.write,
    append: realHost.append,
    exists: realHost.exists,
    list: realHost.list,
    makeFolder: realHost.makeFolder,
    remove: realHost.remove,
    readLink: realHost.readLink,
    move: rename,
    freeBytes: async (path) => {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
  },
  now: () => Date.now(),
  sleep: realHost.sleep,
  run,
  pipe,
  weights: realHost.weights,
  isReleasing: isLocked,
};
