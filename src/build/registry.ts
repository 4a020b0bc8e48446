/**
 * Packages of the npm registry, read through npm's own client, so that its settings (registry, proxy,
 * certificates, tokens) are honoured.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import { runTool, type ToolResult } from '../process/tool.ts';
import { exclusively } from './cache.ts';

/** All versions of a package in a semver range. Empty: none, or no such package. */
export async function versionsInRange(
  name: string,
  range: string,
  context: Context,
): Promise<readonly string[]> {
  const shown = await npm(['view', `${name}@${range}`, 'version', '--json'], context);
  if (shown.exitCode !== 0) {
    if (/"E404"|"ETARGET"|"EINVALIDTAGNAME"/.test(shown.stdout)) return [];
    throw registryFailure(`what versions of ${name} there are`, shown);
  }
  const parsed: unknown = shown.stdout.trim() === '' ? [] : JSON.parse(shown.stdout);
  return (Array.isArray(parsed) ? parsed : [parsed]).filter((one) => typeof one === 'string');
}

/**
 * The package's archive (`.tgz`, everything below `package/`) at `path`, fetched at most once and checked
 * against the SHA-512 that the registry states for it.
 */
export async function packageArchive(
  name: string,
  version: string,
  path: string,
  context: Context,
): Promise<void> {
  if (await exists(path)) return;
  await exclusively(`${path}.lock`, context, async () => {
    if (await exists(path)) return;
    const spec = `${name}@${version}`;
    const viewed = await npm(['view', spec, 'dist.integrity', '--json'], context);
    if (viewed.exitCode !== 0) throw registryFailure(spec, viewed);
    const integrity: unknown = JSON.parse(viewed.stdout);
    const folder = `${path}.partial`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    try {
      const packed = await npm(['pack', spec, '--pack-destination', folder, '--silent'], context);
      if (packed.exitCode !== 0) throw registryFailure(spec, packed);
      const file = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '');
      if ((await sha512(file)) !== integrity) {
        throw new Failure('cloud', `${spec} is not what the registry says it is (its SHA-512 differs).`, {
          next:
            'Run the command again; if it stays so, somebody on the way to the registry changes what it ' +
            'sends.',
        });
      }
      await rename(file, path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/**
 * A value that costs a question to the network, kept for a day; an older one is used where the network does
 * not answer.
 */
export async function keptForADay(
  path: string,
  context: Context,
  ask: () => Promise<string>,
): Promise<string> {
  const kept = await stat(path).catch(() => undefined);
  if (kept !== undefined && context.now().getTime() - kept.mtimeMs < 86_400_000) {
    return readFile(path, 'utf8');
  }
  try {
    const value = await ask();
    await rm(path, { force: true });
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, value);
    return value;
  } catch (error) {
    if (kept === undefined || !(error instanceof Failure) || error.kind !== 'cloud') throw error;
    context.trace(`${error.message} Using what was known on ${kept.mtime.toISOString()}.`);
    return readFile(path, 'utf8');
  }
}

async function npm(args: readonly string[], context: Context): Promise<ToolResult> {
  // A line of npm's own on standard output would not be JSON.
  const env = {
    ...context.env,
    npm_config_loglevel: 'error',
    npm_config_update_notifier: 'false',
    NO_COLOR: '1',
  };
  return runTool('npm', args, context, { env });
}

function registryFailure(what: string, result: ToolResult): Failure {
  return new Failure('cloud', `npm could not get ${what} from the registry.`, {
    step: 'registry',
    output: result.lastLines.filter((line) => !/A complete log of this run/.test(line)).slice(-8),
    next: 'Check that "npm ping" works on this machine, then run the command again.',
  });
}

async function sha512(path: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(path), hash);
  return `sha512-${hash.digest('base64')}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
