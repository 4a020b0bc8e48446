/** What should serve: all that artifact and definition say, before it has a name on a host. */
import { createHash, scryptSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import type { Artifact } from '../../build/artifact.ts';
import { healthPath, healthWithin } from '../../config/health.ts';
import type { AppConfig } from '../../config/schema.ts';
import { replaceNames } from '../../config/variables.ts';
import type { Manifest, ManifestHealth } from '../../contract/manifest.ts';
import type { Dependencies } from '../../contract/release.ts';
import { Failure } from '../../errors.ts';
import { unreadableWords } from '../../files.ts';
import { jobPackages, processesIn } from './processes.ts';

/** A release without its name, time and author. */
export type WantedManifest = Omit<Manifest, 'release' | 'at' | 'by'>;

export interface Wanted {
  readonly manifest: WantedManifest;
  /** The service's environment, without what pipeline sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Files laid over the artifact, by path in it. */
  readonly overlay: Readonly<Record<string, string>>;
  /** What the host installs for it; null: nothing. */
  readonly dependencies: Dependencies | null;
  /** Fingerprint: releases with the same one behave the same. */
  readonly digest: string;
}

/** Part of every fingerprint: raised when the same input would set a host up differently. */
const FORMAT = 2;

/** Combines them. Templates are read from the configuration's folder. */
export async function wantedRelease(
  app: string,
  definition: AppConfig,
  artifact: Artifact,
  secrets: Readonly<Record<string, string>>,
  directory: string,
): Promise<Wanted> {
  const templates: Record<string, string> = {};
  for (const [path, template] of Object.entries(definition.files)) {
    templates[insideArtifact(app, artifact.directory, path, 'files:')] = await readTemplate(
      app,
      resolve(directory, template),
    );
  }
  return combine(app, definition, artifact, secrets, templates);
}

/** The pure part of `wantedRelease`. */
export function combine(
  app: string,
  definition: AppConfig,
  artifact: Artifact,
  secrets: Readonly<Record<string, string>>,
  templates: Readonly<Record<string, string>>,
): Wanted {
  const own = Object.entries(definition.env).map(([name, text]) => [
    name,
    fill(app, `variable ${name} of env`, text, secrets),
  ]);
  const env: Readonly<Record<string, string>> = { ...Object.fromEntries(own), ...secrets };
  if (env[definition.port_variable] !== undefined && definition.fixed_port === undefined) {
    throw new Failure('usage', `${app}: env sets ${definition.port_variable}, which pipeline sets itself`, {
      next: `Remove it from env: of ${app}, or set fixed_port: if the service always takes one port.`,
    });
  }
  const overlay = Object.fromEntries(
    Object.entries(templates).map(([path, text]) => [path, fill(app, `file ${path}`, text, env)]),
  );
  const manifest: WantedManifest = {
    app,
    commit: artifact.commit,
    ref: artifact.ref,
    subject: artifact.subject,
    artifact: artifact.sha256,
    tree: treeOf(artifact, overlay, definition.persist),
    runtime: artifact.runtime,
    node: artifact.node,
    start: artifact.start,
    ...(artifact.runtime === 'tomcat' ? { tomcat: tomcatOf(definition, artifact) } : {}),
    ...commandOf(definition, artifact),
    directory: artifact.directory,
    ...(definition.persist.length === 0 ? {} : { persist: definition.persist }),
    instances: definition.instances,
    portVariable: definition.port_variable,
    fixedPort: takesPort(artifact.runtime) ? (definition.fixed_port ?? null) : null,
    memory: definition.memory ?? null,
    health: healthOf(definition, artifact.runtime),
    drain: definition.drain,
    probation: definition.probation,
    hooks: {
      beforeCutOver: definition.hooks.before_cut_over ?? null,
      afterDeploy: definition.hooks.after_deploy ?? null,
    },
    ...processesIn(app, definition, artifact.runtime),
  };
  const dependencies = artifact.command?.dependencies ?? null;
  return { manifest, env, overlay, dependencies, digest: digestOf(manifest, definition.env, secrets) };
}

function takesPort(runtime: Artifact['runtime']): boolean {
  return runtime === 'node' || runtime === 'command';
}

/** Packages and what only a command has; nothing for releases that have neither. */
function commandOf(
  { packages, jobs }: AppConfig,
  { command }: Artifact,
): Pick<WantedManifest, 'packages' | 'command'> {
  const all = [...new Set([...(command?.packages ?? []), ...packages, ...jobPackages({ jobs })])].sort();
  return {
    ...(all.length === 0 ? {} : { packages: all }),
    ...(command === undefined
      ? {}
      : { command: { language: command.language, lock: command.lock, build: command.build } }),
  };
}

/** Identifies files: the artifact, what the host makes of it, what is laid over it, and what outlives it. */
function treeOf(
  { sha256, command }: Artifact,
  overlay: Readonly<Record<string, string>>,
  persist: readonly string[],
): string {
  const hash = createHash('sha256').update(sha256);
  const build = command?.build ?? null;
  if (build !== null) hash.update(JSON.stringify([build]));
  for (const path of Object.keys(overlay).sort()) hash.update(JSON.stringify([path, overlay[path]]));
  if (persist.length > 0) hash.update(JSON.stringify({ persist }));
  return hash.digest('hex').slice(0, 24);
}

/**
 * The ref is no part of it: another branch at the same commit is the same version. Secrets go through a slow
 * hash, since the fingerprint is not secret, and a short password must not be guessable from it.
 */
function digestOf(
  manifest: WantedManifest,
  env: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): string {
  const { ref, subject, ...rest } = manifest;
  const names = Object.keys(secrets).sort();
  const secret =
    names.length === 0
      ? ''
      : scryptSync(
          JSON.stringify(names.map((name) => [name, secrets[name]])),
          `pipeline ${manifest.app}`,
          32,
        ).toString('hex');
  const plain = Object.keys(env)
    .sort()
    .map((name) => [name, env[name]]);
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, rest, plain, secret]))
    .digest('hex')
    .slice(0, 40);
}

function tomcatOf(definition: AppConfig, { servlet }: Artifact): NonNullable<Manifest['tomcat']> {
  const { context = '/', sessions = 'shared' } = definition;
  return { context, sessions, servlet };
}

function healthOf(definition: AppConfig, runtime: Artifact['runtime']): ManifestHealth {
  const { health } = definition;
  return {
    method: health.method,
    path: healthPath(definition),
    headers: health.headers,
    body: health.body ?? null,
    status: health.status === undefined ? [] : [health.status].flat(),
    contains: health.contains ?? null,
    within: healthWithin(health, runtime),
    timeout: health.timeout,
    consecutive: health.consecutive,
  };
}

/** Replaces `${NAME}`; `$${` stands for `${`. A name that nothing defines is a mistake, not an empty text. */
export function fill(
  app: string,
  what: string,
  template: string,
  values: Readonly<Record<string, string>>,
): string {
  return replaceNames(template, (name) => {
    const value = values[name];
    if (value !== undefined) return value;
    throw new Failure('usage', `${app}: the ${what} uses \${${name}}, which nothing defines`, {
      step: 'files',
      next: `Define ${name} in env, secrets or databases, or write $\${${name}} to mean the text itself.`,
    });
  });
}

async function readTemplate(app: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${app}: the template ${path} cannot be read: ${unreadableWords(error)}`, {
      next: 'Correct files: in pipeline.yml; paths are relative to its folder.',
      cause: error,
    });
  }
}

/**
 * Turns a path relative to the service's folder into one relative to the artifact.
 * @throws Failure kind `usage` if it leads out of the artifact.
 */
export function insideArtifact(app: string, directory: string, path: string, key: string): string {
  const normal = posix.join(directory, path);
  if (!path.startsWith('/') && normal !== '..' && !normal.startsWith('../')) return normal;
  throw new Failure('usage', `${app}: ${key} "${path}" leads out of the artifact`, {
    next: 'Such paths are relative to directory: and stay inside the repository.',
  });
}
