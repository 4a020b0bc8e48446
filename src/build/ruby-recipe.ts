/** What Ruby's files say of dependencies, for gems that the host installs by Bundler. Pure. */
import { posix } from 'node:path';
import type { Dependencies } from '../contract/release.ts';
import { Failure } from '../errors.ts';
import type { SourceFiles } from './source-files.ts';

/** What Bundler reads beside the lock file. */
export const RUBY_FILES: readonly string[] = ['Gemfile', 'Gemfile.lock', '.ruby-version', '.tool-versions'];

/**
 * What the host installs; null: nothing.
 * @throws Failure kind `usage` where nothing fixes the gems, or hosts cannot install them
 */
export function rubyDependencies(app: string, directory: string, files: SourceFiles): Dependencies | null {
  const at = (name: string) => files.text[posix.join(directory, name)];
  if (at('Gemfile') === undefined) return null;
  const lock = at('Gemfile.lock');
  if (lock === undefined) {
    throw new Failure('usage', `${app} has no Gemfile.lock at this commit, so its gems are not fixed.`, {
      next: 'Make it and commit it: bundle lock && git add Gemfile.lock && git commit.',
    });
  }
  const path = /^PATH\n {2}remote: (.*)$/m.exec(lock)?.[1];
  if (path !== undefined) {
    throw new Failure('usage', `${app}: Gemfile.lock takes a gem from the repository itself (${path}).`, {
      next: 'Publish it to a registry of gems or a git repository, or require its files by their path.',
    });
  }
  const texts = RUBY_FILES.flatMap((name) => {
    const text = at(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return { language: 'ruby', files: Object.fromEntries(texts), least: null };
}
