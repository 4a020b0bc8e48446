/** What Python's files say of dependencies, for a virtual environment that the host makes. Pure. */
import { posix } from 'node:path';
import { PYTHON_LOCKS } from '../config/languages.ts';
import type { Dependencies } from '../contract/release.ts';
import { Failure } from '../errors.ts';
import type { SourceFiles } from './source-files.ts';

/** Hosts bring the tool that reads them. */
const READ_ON_HOSTS = ['uv.lock', 'poetry.lock'] as const;

/** How the others write a requirements.txt. */
const EXPORTS: Readonly<Record<string, string>> = {
  'pdm.lock': 'pdm export --prod --output requirements.txt',
  'Pipfile.lock': 'pipenv requirements >requirements.txt',
};

/** Options by which a file says where packages come from: that is for the host's own configuration to say. */
const INDEX = /^\s*(-i|--index-url|--extra-index-url|--find-links|-f|--trusted-host|--no-index)(\s|=|$)/;
const INCLUDE = /^\s*(?:-r|-c|--requirement|--constraint)(?:\s+|=)(\S+)/;
/** The project itself, or a folder of it. */
const OWN = /^\s*(?:(?:-e|--editable)(?:\s+|=)\S+|\.{1,2}(?:\/\S*)?(?:\[.*\])?)\s*(?:#.*)?$/;

/**
 * Files that a requirements file names, relative to the repository's root: their text is needed, too.
 * @param path of the file itself
 */
export function includedFiles(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const name = INCLUDE.exec(line)?.[1];
    return name === undefined ? [] : [posix.join(posix.dirname(path), name)];
  });
}

/**
 * What the host installs; null: nothing.
 * @throws Failure kind `usage` where nothing fixes the dependencies, or hosts cannot install them
 */
export function pythonDependencies(app: string, directory: string, files: SourceFiles): Dependencies | null {
  const at = (name: string) => posix.join(directory, name);
  const project = files.text[at('pyproject.toml')];
  const common = { language: 'python', least: leastPython(project) } as const;
  const requirements = files.text[at('requirements.txt')];
  if (requirements !== undefined) {
    const read = new Map<string, string>();
    gather(app, directory, 'requirements.txt', files, read);
    return { ...common, files: Object.fromEntries(read) };
  }
  for (const name of READ_ON_HOSTS) {
    const lock = files.text[at(name)];
    if (lock === undefined || project === undefined) continue;
    return { ...common, files: { 'pyproject.toml': project, [name]: lock } };
  }
  const other = PYTHON_LOCKS.find((name) => EXPORTS[name] !== undefined && files.existing.has(at(name)));
  if (other !== undefined) {
    throw new Failure('usage', `${app}: hosts cannot install from ${at(other)}.`, {
      next: `Write what it says as pip reads it, and commit that: ${EXPORTS[other]}.`,
    });
  }
  if (project === undefined || !wantsSomething(project)) return null;
  throw new Failure('usage', `${app} has no lock file at this commit, so its dependencies are not fixed.`, {
    next: 'Make one and commit it: uv lock, or pip freeze >requirements.txt in its virtual environment.',
  });
}

/** `dependencies` of [project] or [tool.poetry]. */
function wantsSomething(project: string): boolean {
  return (
    /^dependencies\s*=\s*\[\s*[^\]\s]/m.test(project) || /^\[tool\.poetry\.dependencies\]/m.test(project)
  );
}

/** Lower bound of `requires-python`, e.g. `3.12`. */
function leastPython(project: string | undefined): string | null {
  const said = /^requires-python\s*=\s*["']([^"']+)["']/m.exec(project ?? '')?.[1];
  return /(?:>=|~=|==|\^)\s*(3\.\d+)/.exec(said ?? '')?.[1] ?? null;
}

/** The file and those that it includes, without what only the commit says about indexes. */
function gather(
  app: string,
  directory: string,
  name: string,
  files: SourceFiles,
  read: Map<string, string>,
): void {
  if (read.has(name)) return;
  const path = posix.join(directory, name);
  const text = files.text[path];
  const refuse = (message: string, next: string) => new Failure('usage', `${app}: ${message}`, { next });
  if (name.startsWith('../')) {
    throw refuse(
      `requirements.txt includes ${name}, which lies outside of the service's folder.`,
      `Copy its lines, or name a folder that holds both with directory: of ${app} in pipeline.yml.`,
    );
  }
  if (text === undefined) {
    throw refuse(`requirements.txt includes ${name}, which is not in the repository.`, 'Commit it.');
  }
  const lines = text.replaceAll('\r', '').split('\n');
  const own = lines.findIndex((line) => OWN.test(line));
  if (own >= 0) {
    throw refuse(
      `${path} installs the project itself (line ${own + 1}: ${lines[own]?.trim()}).`,
      'Remove the line: the service starts in its folder and finds its modules; in a folder src by ' +
        'env: { PYTHONPATH: src }.',
    );
  }
  read.set(name, lines.filter((line) => !INDEX.test(line)).join('\n'));
  for (const included of includedFiles(path, text)) {
    gather(app, directory, posix.relative(directory, included), files, read);
  }
}
