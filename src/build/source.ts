/**
 * Git repositories: a bare copy of each is kept and fetched with the user's own git, so that its settings are
 * honoured.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { closest, Failure } from '../errors.ts';
import { runTool, type ToolResult } from '../process/tool.ts';
import { redact } from '../redact.ts';
import { cachePath, exclusively } from './cache.ts';

/** A repository and its copy here. */
export interface Source {
  /** As git takes it: an address, or an absolute path. */
  readonly address: string;
  /** Bare repository in the cache. */
  readonly folder: string;
}

export interface Commit {
  /** As asked for; the default branch's name where nothing was. */
  readonly ref: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly subject: string;
  /** Seconds since 1970: the time that files of the artifact carry. */
  readonly time: number;
}

/** An address stays as it is; anything else is a path relative to the folder of `pipeline.yml`. */
export function sourceAddress(source: string, directory: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source) || /^[^/]+@?[^/]*:(?!\/\/)/.test(source)
    ? source
    : resolve(directory, source);
}

export function openSource(source: string, directory: string, context: Context): Source {
  const address = sourceAddress(source, directory);
  const name = createHash('sha256').update(address).digest('hex').slice(0, 24);
  return { address, folder: cachePath(context, 'git', `${name}.git`) };
}

/**
 * The commit that a ref means now: a branch, a tag, a full ref name, or a commit (4 digits or more). Fetches,
 * unless a whole commit is named that is here already.
 * @throws Failure kind `usage` for an unknown or ambiguous ref, with the closest known ones, and for a
 *   repository that cannot be read.
 */
export async function resolveRef(
  app: string,
  source: Source,
  ref: string | undefined,
  context: Context,
): Promise<Commit> {
  if (ref !== undefined && /^[0-9a-f]{40}$/.test(ref)) {
    const known = await tryCommit(source, ref, context);
    if (known !== undefined) return describe(source, ref, known, context);
  }
  return exclusively(`${source.folder}.lock`, context, async () => {
    await fetchAll(source, context);
    const name = ref ?? (await defaultBranch(app, source, context));
    const commit = await findCommit(source, name, context);
    if (commit === undefined) throw await unknownRef(app, source, name, context);
    return describe(source, name, commit, context);
  });
}

/** The file at that commit as text; undefined where there is none. */
export async function readAt(
  source: Source,
  commit: string,
  path: string,
  context: Context,
): Promise<string | undefined> {
  const shown = await git(source, ['cat-file', 'blob', `${commit}:${path}`], context);
  return shown.exitCode === 0 ? shown.stdout : undefined;
}

/** Which of these paths exist at that commit. */
export async function existingAt(
  source: Source,
  commit: string,
  paths: readonly string[],
  context: Context,
): Promise<ReadonlySet<string>> {
  // Asked together with what lies in it, a folder would not be named itself.
  const folders = paths.filter((path) => paths.some((other) => other.startsWith(`${path}/`)));
  const others = paths.filter((path) => !folders.includes(path));
  const found = await Promise.all(
    [folders, others].map(async (some) => {
      if (some.length === 0) return [];
      const listed = await git(source, ['ls-tree', '-z', '--name-only', commit, '--', ...some], context);
      if (listed.exitCode !== 0) throw gitFailure('read the commit of', source, listed);
      return listed.stdout.split('\0').filter((path) => path !== '');
    }),
  );
  return new Set(found.flat());
}

/**
 * A working tree of the commit with its submodules and its `.git` (builds ask it for names and dates), in an
 * empty folder.
 */
export async function checkOut(
  source: Source,
  commit: string,
  folder: string,
  context: Context,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const quiet = [
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'core.autocrlf=false',
    '-c',
    'advice.detachedHead=false',
  ];
  // git forbids submodules on this machine's disk; a repository that lies there itself may have them beside
  // it.
  const transport = source.address.startsWith('/') ? ['-c', 'protocol.file.allow=always'] : [];
  const steps = [
    ['clone', '--quiet', '--shared', '--no-checkout', '--template=', source.folder, folder],
    // Submodules with relative addresses are looked for beside the real repository.
    ['-C', folder, 'remote', 'set-url', 'origin', source.address],
    [...quiet, '-C', folder, 'checkout', '--quiet', '--detach', commit],
    [...quiet, ...transport, '-C', folder, 'submodule', '--quiet', 'update', '--init', '--recursive'],
  ];
  for (const step of steps) {
    const done = await runTool('git', step, context, { env: gitEnvironment(context) });
    if (done.exitCode !== 0) throw gitFailure('check out', source, done);
  }
}

/** The first line of what stands for a file that Git LFS keeps (git-lfs/docs/spec.md). */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/v1';

/**
 * Files of a working tree that are pointers of Git LFS instead of what they point to, submodules among them:
 * where git has the LFS extension, its checkout has fetched them. Paths are relative to the tree.
 */
export async function lfsPointers(folder: string, context: Context): Promise<readonly string[]> {
  const search = ['grep', '--recurse-submodules', '-l', '-z', '-I', '--fixed-strings', LFS_POINTER];
  const found = await runTool('git', ['-C', folder, ...search], context, { env: gitEnvironment(context) });
  const named = found.stdout.split('\0').filter((path) => path !== '');
  const beginnings = await Promise.all(
    named.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  );
  return beginnings.filter(({ text }) => text.startsWith(`${LFS_POINTER}\n`)).map(({ path }) => path);
}

/** Branches and tags; a change of history there is a change here. */
async function fetchAll(source: Source, context: Context): Promise<void> {
  const made = await runTool('git', ['init', '--quiet', '--bare', '--template=', source.folder], context, {
    env: gitEnvironment(context),
  });
  if (made.exitCode !== 0) throw gitFailure('make room for', source, made);
  const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  const fetched = await git(
    source,
    ['fetch', '--quiet', '--prune', '--force', '--no-write-fetch-head', '--', source.address, ...refs],
    context,
  );
  if (fetched.exitCode !== 0) throw gitFailure('fetch', source, fetched);
}

async function defaultBranch(app: string, source: Source, context: Context): Promise<string> {
  const asked = await git(source, ['ls-remote', '--symref', '--', source.address, 'HEAD'], context);
  if (asked.exitCode !== 0) throw gitFailure('ask', source, asked);
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(asked.stdout)?.[1];
  if (branch !== undefined) return branch;
  const detached = /^([0-9a-f]{40})\tHEAD$/m.exec(asked.stdout)?.[1];
  if (detached !== undefined) return detached;
  throw new Failure('usage', `${app}: the repository ${redact(source.address)} has no default branch.`, {
    next: `Name a ref: pipeline deploy ${app} BRANCH, or ref: in pipeline.yml.`,
  });
}

async function findCommit(source: Source, ref: string, context: Context): Promise<string | undefined> {
  for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`]) {
    const commit = await tryCommit(source, name, context);
    if (commit !== undefined) return commit;
  }
  if (/^[0-9a-f]{4,40}$/i.test(ref)) {
    const commit = await tryCommit(source, ref, context);
    if (commit !== undefined) return commit;
  }
  // Refs besides branches and tags (a pull request), and commits that no branch holds any more: many servers
  // give them when asked by name.
  if (!/^refs\/|^[0-9a-f]{40}$/.test(ref)) return undefined;
  const kept = `refs/pipeline/${createHash('sha256').update(ref).digest('hex').slice(0, 16)}`;
  const fetched = await git(
    source,
    ['fetch', '--quiet', '--no-write-fetch-head', '--', source.address, `+${ref}:${kept}`],
    context,
  );
  return fetched.exitCode === 0 ? tryCommit(source, kept, context) : undefined;
}

async function tryCommit(source: Source, name: string, context: Context): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const parsed = await git(source, args, context);
  return parsed.exitCode === 0 ? parsed.stdout.trim() : undefined;
}

async function describe(source: Source, ref: string, commit: string, context: Context): Promise<Commit> {
  const shown = await git(source, ['log', '-1', '--no-show-signature', '--format=%ct %s', commit], context);
  if (shown.exitCode !== 0) throw gitFailure('read the commit of', source, shown);
  const [, time = '0', subject = ''] = /^(\d+) (.*)/.exec(shown.stdout) ?? [];
  return { ref, commit, subject, time: Number(time) };
}

async function unknownRef(app: string, source: Source, ref: string, context: Context): Promise<Failure> {
  const listed = await git(
    source,
    ['for-each-ref', '--sort=-creatordate', '--format=%(refname:lstrip=2)', 'refs/heads', 'refs/tags'],
    context,
  );
  const names = listed.stdout.split('\n').filter((name) => name !== '');
  const ambiguous = /^[0-9a-f]{4,39}$/i.test(ref)
    ? (await git(source, ['rev-parse', `--disambiguate=${ref}`], context)).stdout.split('\n').filter(Boolean)
    : [];
  if (ambiguous.length > 1) {
    return new Failure(
      'usage',
      `${app}: "${ref}" is the beginning of ${ambiguous.length} objects at ${redact(source.address)}.`,
      {
        next: 'Give more digits of the commit.',
      },
    );
  }
  const near = closestRefs(ref, names);
  return new Failure('usage', `${app} has no ref "${ref}" at ${redact(source.address)}.`, {
    next: near.length === 0 ? 'The repository has no branches and no tags.' : `Closest: ${near.join(', ')}.`,
  });
}

/**
 * Up to four known refs that may have been meant: the nearest spelling, those that hold the word, then the
 * shortest names.
 */
export function closestRefs(ref: string, names: readonly string[]): readonly string[] {
  const nearest = closest(ref, names);
  const word = ref.toLowerCase();
  const related = names.filter((name) => {
    const other = name.toLowerCase();
    return other.includes(word) || word.includes(other);
  });
  const short = [...names].sort((a, b) => a.length - b.length);
  return [...new Set([...(nearest === undefined ? [] : [nearest]), ...related, ...short])].slice(0, 4);
}

function git(source: Source, args: readonly string[], context: Context): Promise<ToolResult> {
  return runTool('git', ['--git-dir', source.folder, ...args], context, { env: gitEnvironment(context) });
}

/**
 * English messages, no questions (nobody could answer), and nothing that a git hook around this program left.
 */
function gitEnvironment(context: Context): Record<string, string | undefined> {
  const inherited = Object.entries(context.env).filter(
    ([name]) =>
      !['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_OBJECT_DIRECTORY'].includes(name),
  );
  return { ...Object.fromEntries(inherited), LC_ALL: 'C.UTF-8', LANGUAGE: '', GIT_TERMINAL_PROMPT: '0' };
}

/** What git could not do, with what it said. The network's fault is told from the user's. */
function gitFailure(doing: string, source: Source, result: ToolResult): Failure {
  const said = result.lastLines.slice(-10);
  const network = new RegExp(
    'could not resolve host|timed out|(?:failed|could ?n.t|could not)(?: to)? connect|' +
      'connection (?:refused|reset)|network is unreachable',
    'i',
  );
  const kind = said.some((line) => network.test(line)) ? 'cloud' : 'usage';
  return new Failure(kind, `git could not ${doing} ${redact(source.address)}.`, {
    step: 'source',
    output: said,
    next:
      kind === 'cloud'
        ? 'Check that this machine can reach the address, then run the command again.'
        : `Check that "git ls-remote ${redact(source.address)}" works here: source: in pipeline.yml ` +
          'names the repository, and git needs the right to read it.',
  });
}
