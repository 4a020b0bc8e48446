// Makes the git repository of an example: branch `good` is the folder's content; each other branch has one commit more, with one change. The same
// commits every time.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * @param folder where to, as the command line has it
 * @param example `name` of the author, `from`: folder to copy, `message` of its commit, `branches`: name → [file, text there, text instead, message]
 */
export function makeRepository(folder, { name, from, message, branches }) {
  if (folder === undefined) {
    process.stderr.write('usage: node make-repository.mjs FOLDER\n');
    process.exit(2);
  }
  const target = resolve(folder);
  const email = `${name.toLowerCase()}@example.org`;
  const date = '2026-01-05T10:00:00Z';
  const git = (...args) =>
    execFileSync('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'commit.gpgsign=false', ...args], {
      cwd: target,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    });
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  git('init', '--quiet', '--template=', '--initial-branch=good');
  cpSync(from, target, { recursive: true });
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
  for (const [branch, [file, text, instead, why]] of Object.entries(branches)) {
    git('checkout', '--quiet', '-b', branch, 'good');
    const path = join(target, file);
    const before = readFileSync(path, 'utf8');
    if (!before.includes(text)) throw new Error(`${branch}: ${file} does not contain ${text}`);
    writeFileSync(
      path,
      before.replace(text, () => instead),
    );
    git('commit', '--quiet', '--all', '--message', why);
  }
  git('checkout', '--quiet', 'good');
}
