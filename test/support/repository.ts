/** Repositories of applications: a commit and a tag for each version. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const GIT = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main'];

/** The files of `versions`, each over those before it, as a commit with its name as a tag. */
export function makeRepository(
  path: string,
  versions: Readonly<Record<string, Readonly<Record<string, string>>>>,
  base?: string,
): string {
  mkdirSync(path, { recursive: true });
  const git = (...args: string[]) => execFileSync('git', [...GIT, ...args], { cwd: path, stdio: 'pipe' });
  git('init', '--quiet');
  if (base !== undefined) cpSync(base, path, { recursive: true });
  for (const [name, files] of Object.entries(versions)) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', `Be ${name}`);
    git('tag', name);
  }
  return path;
}

/** One version, `good`, of a Node service that is this text, with the lock file of what it depends on. */
export function nodeRepository(
  path: string,
  service: string,
  dependencies: Readonly<Record<string, string>> = {},
): string {
  mkdirSync(path, { recursive: true });
  const manifest = { name: 'shop', version: '1.0.0', main: 'server.js', dependencies };
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
  execFileSync('npm', ['install', '--package-lock-only', '--silent'], { cwd: path, stdio: 'ignore' });
  return makeRepository(path, { good: { 'server.js': service } });
}
