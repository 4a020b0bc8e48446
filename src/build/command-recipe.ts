/** How an application of any language is built, what its hosts need, and how it starts. Pure. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import {
  LANGUAGE_PACKAGES,
  LANGUAGE_SIGNS,
  LANGUAGES,
  type Language,
  PYTHON_ENTRIES,
  startExample,
  webOfProcfile,
} from '../config/languages.ts';
import type { AppConfig } from '../config/schema.ts';
import type { Dependencies } from '../contract/release.ts';
import { Failure } from '../errors.ts';
import type { CommandArtifact } from './artifact.ts';
import { BUN_ENTRIES, ENGINE_FILES, type EngineRecipe, engineConvention, engineIn } from './engine-recipe.ts';
import { pythonDependencies } from './python-recipe.ts';
import { RUBY_FILES, rubyDependencies } from './ruby-recipe.ts';
import type { SourceFiles } from './source-files.ts';

/** Started by a command, in any language. */
export interface CommandRecipe {
  readonly runtime: 'command';
  /** Folder of the service in the repository; empty: its root. */
  readonly directory: string;
  /** Whose conventions hold; null: none. */
  readonly language: Language | null;
  /** Debian packages that its hosts need for that. */
  readonly packages: readonly string[];
  /** What runs it, brought to hosts as Node is; null: a program of its own, or of the host. */
  readonly engine: EngineRecipe | null;
  /** What hosts install, once for each lock file; null: nothing. */
  readonly dependencies: Dependencies | null;
  /** Shell command; null: none, or what is usual for the language. */
  readonly build: string | null;
  readonly buildOn: 'here' | 'host';
  /** null: the only program that the build leaves. */
  readonly start: string | null;
  /** The conventions that hold, for people; empty: none. */
  readonly how: string;
}

/** Files of the service's folder whose text decides, beside those of Node. */
export const COMMAND_FILES: readonly string[] = [
  // Bun's older lock file is no text.
  ...Object.values(LANGUAGE_SIGNS)
    .flat()
    .filter((name) => name !== 'bun.lockb'),
  ...RUBY_FILES,
  ...ENGINE_FILES,
  'Procfile',
];

/** Those that only have to exist. */
export const COMMAND_SIGNS: readonly string[] = [...PYTHON_ENTRIES, ...BUN_ENTRIES, 'bun.lockb'];

/** The languages that a folder looks like. */
export function languagesIn(directory: string, files: SourceFiles): readonly Language[] {
  return LANGUAGES.filter((language) =>
    LANGUAGE_SIGNS[language].some((name) => files.existing.has(posix.join(directory, name))),
  );
}

/**
 * The recipe.
 * @throws Failure kind `usage` where language, dependencies or start cannot be told
 */
export function commandRecipe(
  app: string,
  definition: AppConfig,
  directory: string,
  files: SourceFiles,
): CommandRecipe {
  const language = languageOf(app, definition, directory, files);
  const at = (name: string) => files.text[posix.join(directory, name)];
  const dependencies =
    language === 'python'
      ? pythonDependencies(app, directory, files)
      : language === 'ruby'
        ? rubyDependencies(app, directory, files)
        : null;
  const said = definition.start ?? webOfProcfile(at('Procfile'));
  const convention =
    language === 'bun' || language === 'deno'
      ? engineConvention(app, language, directory, files, said)
      : undefined;
  if (convention !== undefined && definition.build_on === 'host') throw builtHere(app, language);
  const usual = language === 'go' && definition.build_on === 'host' ? GO_ON_HOST : null;
  const build = definition.build ?? convention?.build ?? usual;
  const onHost = language === 'go' && definition.build_on === 'host';
  const buildOn = definition.build_on ?? (dependencies === null ? 'here' : 'host');
  if (definition.build_on === 'host' && build === null) {
    throw new Failure('usage', `${app}: build_on is host, and there is nothing to build.`, {
      next: `Say with build: of ${app} in pipeline.yml how it is built, or remove build_on.`,
    });
  }
  const start = said ?? convention?.start ?? undefined;
  const built = language === 'go' && definition.build === undefined;
  if (start === undefined && !(built && buildOn === 'here')) {
    throw noStart(app, language, directory, files);
  }
  return {
    runtime: 'command',
    directory,
    language,
    packages: [...(language === null ? [] : LANGUAGE_PACKAGES[language]), ...(onHost ? GO_PACKAGES : [])],
    engine: convention?.engine ?? null,
    dependencies,
    build,
    buildOn,
    start: start ?? null,
    how: howOf(language, dependencies, definition.build),
  };
}

function builtHere(app: string, language: Language | null): Failure {
  return new Failure('usage', `${app}: build_on is host, and what ${language} installs is installed here.`, {
    next: `Remove build_on of ${app} in pipeline.yml.`,
  });
}

const GO_PACKAGES = ['golang-go', 'gcc', 'libc6-dev'];
const GO_ON_HOST = 'CGO_ENABLED=1 go build -trimpath -buildvcs=false -o bin/ .';

function languageOf(
  app: string,
  { runtime }: AppConfig,
  directory: string,
  files: SourceFiles,
): Language | null {
  const named = LANGUAGES.find((language) => language === runtime);
  if (named !== undefined) return named;
  const engine = engineIn(directory, files);
  if (engine !== undefined) return engine;
  const all = languagesIn(directory, files);
  // Others have files of these for their pages' scripts.
  const own = all.filter((language) => language !== 'bun' && language !== 'deno');
  const [only, second, ...more] = own.length > 0 ? own : all;
  if (second === undefined) return only ?? null;
  const names = [only, second, ...more].join(' or ');
  throw new Failure('usage', `${app}: whether this is ${names} cannot be told.`, {
    next: `Say which: runtime: ${only} of ${app} in pipeline.yml, or name the folder with directory:.`,
  });
}

function howOf(language: Language | null, dependencies: Dependencies | null, build: string | undefined) {
  const names = Object.keys(dependencies?.files ?? {});
  const lock = names.find((name) => name.endsWith('.lock')) ?? names[0];
  if (language === 'python') {
    return lock === undefined
      ? "Python, the host's, without dependencies"
      : `Python, the host's, with ${lock} in a virtual environment`;
  }
  if (language === 'ruby') return `Ruby, the host's, with the gems of ${lock ?? 'no Gemfile.lock'}`;
  if (language === 'bun') return 'Bun, brought to the host';
  if (language === 'deno') return 'Deno, brought to the host';
  return language === 'go' && build === undefined ? 'Go, built as one program' : '';
}

function noStart(app: string, language: Language | null, directory: string, files: SourceFiles): Failure {
  const at = (name: string) => posix.join(directory, name);
  const example = startExample(language, {
    has: (name) => files.existing.has(at(name)),
    text: (name) => files.text[at(name)],
  });
  return new Failure('usage', `${app}: how the service is started cannot be told.`, {
    next:
      `${example.before}Say it with start: of ${app} in pipeline.yml, e.g. start: ${example.start} ` +
      '(PORT is the port that it must listen on).',
  });
}

/** What its artifact says for hosts. */
export function commandArtifact(how: CommandRecipe): CommandArtifact {
  const { language, packages, dependencies } = how;
  return {
    language,
    packages,
    dependencies,
    lock: dependencies === null ? null : lockOf(dependencies),
    build: how.buildOn === 'host' ? how.build : null,
    how: how.how,
  };
}

/** Identifies what hosts install: SHA-256, hexadecimal. */
function lockOf({ language, files }: Dependencies): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([language, sorted]))
    .digest('hex');
}
