/** What a folder holds, as far as a first `pipeline.yml` depends on it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { outputOf } from '../process/tool.ts';
import {
  LANGUAGE_SIGNS,
  LANGUAGES,
  type Language,
  type StartExample,
  startExample,
  webOfProcfile,
} from './languages.ts';

/** Lock files of those that install for Node. */
const NODE_LOCKS = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock'];

/** What `initialConfig` writes about. */
export interface DetectedFolder {
  /** What the application is called: in package.json, in pom.xml, else the folder's own name. */
  readonly name: string;
  readonly kind:
    | { readonly runtime: 'node'; readonly startsBy: string | undefined }
    | { readonly runtime: 'tomcat'; readonly war: string; readonly wantsMariadb: boolean }
    | { readonly runtime: 'static' }
    | {
        readonly runtime: Language;
        /** Of a Procfile; undefined: nothing says it. */
        readonly startsBy: string | undefined;
        readonly example: StartExample;
      }
    | { readonly runtime: 'unknown' };
  /** The repository that it lies in. */
  readonly git: DetectedGit | undefined;
}

export interface DetectedGit {
  /** Address without a password, or a path relative to the folder where the repository has no origin. */
  readonly source: string;
  /** The branch that is checked out. */
  readonly branch: string | undefined;
  /** The folder's path in the repository; empty: its root. */
  readonly directory: string;
}

/** Looks at a folder. @throws Failure `usage` for a package.json that is not JSON. */
export async function detectFolder(directory: string, context: Context): Promise<DetectedFolder> {
  const git = await detectGit(directory, context);
  const packageText = await readText(join(directory, 'package.json'));
  const language = await describeLanguage(directory);
  if (packageText !== undefined) {
    const described = describePackage(packageText, directory);
    // Others have one for their pages' scripts: then it does not say how a service starts.
    const node = described.kind.runtime === 'node' && described.kind.startsBy !== undefined;
    const engine = language?.kind.runtime === 'bun' || language?.kind.runtime === 'deno';
    const own = engine && !NODE_LOCKS.some((name) => existsSync(join(directory, name)));
    return { ...(node && !own ? described : (language ?? described)), git };
  }
  const pom = await readText(join(directory, 'pom.xml'));
  if (pom !== undefined) return { ...describePom(pom, directory), git };
  if (language !== undefined) return { ...language, git };
  const runtime = existsSync(join(directory, 'index.html')) ? 'static' : 'unknown';
  return { name: basename(directory), kind: { runtime }, git };
}

/** undefined: it looks like none, or like several. */
async function describeLanguage(directory: string): Promise<Omit<DetectedFolder, 'git'> | undefined> {
  const has = (name: string) => existsSync(join(directory, name));
  const [language, second] = LANGUAGES.filter((one) => LANGUAGE_SIGNS[one].some(has));
  if (language === undefined || second !== undefined) return undefined;
  const names = ['Procfile', ...LANGUAGE_SIGNS[language]];
  const read = await Promise.all(
    names.map(async (name) => [name, await readText(join(directory, name))] as const),
  );
  const texts = new Map(read);
  const text = (name: string) => texts.get(name);
  const kind = {
    runtime: language,
    startsBy: webOfProcfile(text('Procfile')),
    example: startExample(language, { has, text }),
  };
  return { name: basename(directory), kind };
}

function describePackage(text: string, directory: string): Omit<DetectedFolder, 'git'> {
  let manifest: { name?: unknown; main?: unknown; scripts?: { start?: unknown } };
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new Failure('usage', `package.json is not JSON: ${(error as Error).message}`, {
      next: 'Correct it, then run pipeline init again.',
      cause: error,
    });
  }
  const entry = ['server.js', 'index.js', 'app.js'].find((file) => existsSync(join(directory, file)));
  const started = manifest?.scripts?.start ?? manifest?.main ?? entry;
  const startsBy = typeof started === 'string' ? started : undefined;
  const name = typeof manifest?.name === 'string' ? manifest.name : basename(directory);
  return { name, kind: { runtime: 'node', startsBy } };
}

/** What the project itself says stands before its dependencies, its build and its parent. */
function describePom(text: string, directory: string): Omit<DetectedFolder, 'git'> {
  const plain = text.replace(/<!--.*?-->/gs, '');
  const own = plain.replace(
    /<(parent|dependencies|dependencyManagement|build|profiles|properties)>.*?<\/\1>/gs,
    '',
  );
  const artifact = /<artifactId>\s*([^<\s]+)\s*</.exec(own)?.[1] ?? basename(directory);
  const packaging = /<packaging>\s*(\w+)\s*</.exec(own)?.[1];
  if (packaging !== 'war') return { name: artifact, kind: { runtime: 'unknown' } };
  const war = /<build>.*?<finalName>\s*([\w.-]+)\s*</s.exec(plain)?.[1] ?? artifact;
  const wantsMariadb = /<artifactId>\s*(mysql-connector|mariadb-java-client)/.test(plain);
  return { name: artifact, kind: { runtime: 'tomcat', war, wantsMariadb } };
}

async function detectGit(directory: string, context: Context): Promise<DetectedGit | undefined> {
  // The address as it stands in the configuration: `git remote` would print what insteadOf makes of it on
  // this machine.
  const [prefix, up, origin, branch] = await Promise.all([
    git(context, directory, 'rev-parse', '--show-prefix'),
    git(context, directory, 'rev-parse', '--show-cdup'),
    git(context, directory, 'config', '--get', 'remote.origin.url'),
    git(context, directory, 'symbolic-ref', '--short', 'HEAD'),
  ]);
  if (prefix === undefined) return undefined;
  const local = up === undefined || up === '' ? '.' : up.replace(/\/$/, '');
  return {
    source: origin === undefined ? local : withoutPassword(origin),
    branch,
    directory: prefix.replace(/\/$/, ''),
  };
}

/** What git prints; undefined where it fails or is not installed. */
async function git(
  context: Context,
  directory: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  const printed = await outputOf('git', ['-C', directory, ...args], context, { timeoutMs: 5_000 });
  return printed?.trim();
}

/** Addresses of some services carry a token; the configuration is in version control. */
function withoutPassword(address: string): string {
  return address.replace(/^(https?:\/\/)[^@/]*@/, '$1');
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
