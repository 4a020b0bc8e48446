/**
 * What hosts are handed of this machine's settings, so that names, apt, npm and pip work inside as they do
 * outside.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { pipSettings } from './pip.ts';
import { mustRun } from './run.ts';

/** A file to be laid into a host. */
export interface HandedFile {
  readonly path: string;
  readonly content: string;
  /** 0600 for whatever may hold a password or token. */
  readonly mode: number;
}

/** What hosts are handed, and what is worth knowing about it. */
export interface Handed {
  readonly files: readonly HandedFile[];
  /** Changes when a file changes that is kept up to date on hosts that exist. */
  readonly digest: string;
  /** What works outside and will not work inside, one sentence each. */
  readonly warnings: readonly string[];
}

const APT_CONF = '/etc/apt/apt.conf.d/00machine';

/** Laid down once: afterwards it is the host's own, which knows other hosts by name. */
export const HOSTS_FILE = '/etc/hosts';

/** Everything that hosts of `subnet` are handed. */
export async function handedFiles(context: Context, subnet: string): Promise<Handed> {
  const [apt, resolver, hosts, npm, pip, variables] = await Promise.all([
    aptFetchSettings(context),
    resolverSettings(),
    readText('/etc/hosts'),
    npmSettings(context.env),
    pipSettings(context.env),
    readText('/etc/environment'),
  ]);
  const env = { ...parseEnvironment(variables ?? ''), ...context.env };
  // empty ones, too: a host is then rid of what it was handed before
  const files: HandedFile[] = [
    { path: '/etc/resolv.conf', content: resolver, mode: 0o644 },
    { path: APT_CONF, content: apt, mode: mayHoldSecret(apt) ? 0o600 : 0o644 },
    { path: '/etc/environment', content: environmentFile(env, subnet), mode: 0o600 },
    { path: '/root/.npmrc', content: npm, mode: 0o600 },
    { path: '/root/.config/pip/pip.conf', content: pip, mode: 0o600 },
    ...(await aptLogins()),
    ...(await namedFiles([
      ...pathsIn(apt),
      ...npmPaths(npm),
      pipCertificate(pip),
      env.NODE_EXTRA_CA_CERTS ?? '',
    ])),
  ];
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  files.push({ path: HOSTS_FILE, content: hostsFile(hosts ?? ''), mode: 0o644 });
  return { files, digest, warnings: loopbackWarnings(resolver, env, apt, npm) };
}

/**
 * Sentences about name servers and proxies that listen on this machine's loopback address, where no host
 * reaches them.
 */
export function loopbackWarnings(
  resolver: string,
  env: Readonly<Record<string, string | undefined>>,
  ...settings: readonly string[]
): string[] {
  const proxies = ['http_proxy', 'https_proxy', 'all_proxy'].map(
    (name) => env[name] ?? env[name.toUpperCase()] ?? '',
  );
  const texts = [
    ...proxies,
    ...settings.flatMap((text) => text.split('\n').filter((line) => /proxy/i.test(line))),
  ];
  const loopback = texts.flatMap(
    (text) => /\/\/(?:[^/@]*@)?((?:127\.[\d.]+|localhost|\[::1\])(?::\d+)?)/i.exec(text)?.[1] ?? [],
  );
  return [
    ...(hasLoopbackOnly(resolver)
      ? [
          "The name server listens on this machine's loopback address only: hosts cannot resolve names. " +
            'Name another one in /etc/resolv.conf.',
        ]
      : []),
    ...[...new Set(loopback)].map(
      (address) =>
        `The proxy ${address} listens on this machine's loopback address: hosts cannot reach it. Let ` +
        'it listen on all addresses.',
    ),
  ];
}

/** The machine's name servers; behind systemd-resolved, those that it asks itself. */
async function resolverSettings(): Promise<string> {
  const own = (await readText('/etc/resolv.conf')) ?? '';
  return hasLoopbackOnly(own) ? ((await readText('/run/systemd/resolve/resolv.conf')) ?? own) : own;
}

/**
 * Files that settings name, laid where they name them. The certificates of the system are in the base image.
 */
async function namedFiles(paths: readonly string[]): Promise<HandedFile[]> {
  const wanted = [...new Set(paths)].filter((path) => path !== '' && !path.startsWith('/etc/ssl/certs/'));
  const found = await Promise.all(
    wanted.map(async (path) => ({
      path,
      content: await readText(path),
      mode: /key/i.test(path) ? 0o600 : 0o755,
    })),
  );
  return found.flatMap(({ content, ...file }) => (content === undefined ? [] : [{ ...file, content }]));
}

/**
 * apt's settings about fetching (proxies, certificates, time-outs), as a configuration file. Its other
 * settings are the machine's own affair.
 */
export async function aptFetchSettings(context: Context): Promise<string> {
  const dump = await mustRun(context, 'reading apt settings', 'apt-config', ['dump']);
  return selectFetchSettings(dump);
}

/** The lines of `apt-config dump` that a host needs. */
export function selectFetchSettings(dump: string): string {
  const wanted = dump
    .split('\n')
    .filter(
      (line) =>
        line.startsWith('Acquire::') &&
        !/^Acquire::(IndexTargets|CompressionTypes|Changelogs|cdrom)\b/.test(line),
    );
  return wanted.map((line) => `${line}\n`).join('');
}

/**
 * `NAME=value` lines of `/etc/environment`: proxies, and the certificates that Node does not look for by
 * itself.
 */
export function environmentFile(env: Readonly<Record<string, string | undefined>>, subnet: string): string {
  const lines: string[] = [];
  for (const name of ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy']) {
    const value = env[name] ?? env[name.toUpperCase()];
    if (value) lines.push(`${name}=${value}`, `${name.toUpperCase()}=${value}`);
  }
  if (lines.length > 0) {
    // hosts of one environment reach each other directly
    const direct = [env.no_proxy ?? env.NO_PROXY, 'localhost', '127.0.0.1', subnet].filter(Boolean).join(',');
    lines.push(`no_proxy=${direct}`, `NO_PROXY=${direct}`);
  }
  if (env.NODE_EXTRA_CA_CERTS) lines.push(`NODE_EXTRA_CA_CERTS=${env.NODE_EXTRA_CA_CERTS}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Variables that this machine gives everybody who signs in (pam_env(8)): sudo and cron pass no others on. */
export function parseEnvironment(text: string): Record<string, string> {
  const lines = text.matchAll(/^\s*(?:export\s+)?(\w+)=(["']?)(.*?)\2\s*$/gm);
  return Object.fromEntries([...lines].map(([, name = '', , value = '']) => [name, value]));
}

/** This machine's names for other machines; what it calls itself stays here. */
export function hostsFile(machineHosts: string): string {
  const others = machineHosts
    .split('\n')
    .filter((line) => /^\s*[\da-f]/i.test(line) && !/^\s*(127\.|::1\b|f[ef]0)/i.test(line));
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost', ...others]
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * npm's settings about fetching, from the files that npm reads (least specific first) and the environment.
 */
async function npmSettings(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const variable = (name: string) => env[`npm_config_${name}`] ?? env[`NPM_CONFIG_${name.toUpperCase()}`];
  const prefix = variable('prefix') ?? dirname(dirname(process.execPath));
  const files = [
    '/etc/npmrc',
    variable('globalconfig') ?? join(prefix, 'etc/npmrc'),
    variable('userconfig') ?? join(env.HOME ?? '/root', '.npmrc'),
  ];
  const texts = await Promise.all(files.map(readText));
  const variables = ['registry', 'cafile', 'proxy', 'https_proxy', 'noproxy', 'strict_ssl'].flatMap(
    (name) => {
      const value = variable(name);
      return value === undefined ? [] : [`${name.replace('_', '-')}=${value}`];
    },
  );
  return selectNpmSettings([...texts.map((text) => text ?? ''), variables.join('\n')], env);
}

/**
 * The lines of npmrc files that are about fetching; later files win; `${'$'}{NAME}` is replaced as npm does.
 */
export function selectNpmSettings(
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const settings = new Map<string, string>();
  for (const line of texts.join('\n').split('\n')) {
    const match = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    const key = match?.[1];
    if (key === undefined) continue;
    const about =
      /^(registry|@[^:]+:registry|cafile|ca(\[\])?|proxy|https-proxy|noproxy|strict-ssl|\/\/.+)$/.test(key);
    if (about)
      settings.set(
        key,
        (match?.[2] ?? '').replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole),
      );
  }
  return [...settings].map(([key, value]) => `${key}=${value}\n`).join('');
}

/** A name server that only this machine itself can ask, e.g. systemd-resolved's. */
export function hasLoopbackOnly(resolver: string): boolean {
  const servers = [...resolver.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return servers.length > 0 && servers.every((server) => server.startsWith('127.') || server === '::1');
}

function mayHoldSecret(aptSettings: string): boolean {
  return /:\/\/[^/"\s]*@|SslKey/i.test(aptSettings);
}

/** Quoted absolute paths in apt settings: certificates, keys, a program that finds the proxy. */
function pathsIn(aptSettings: string): string[] {
  return [...aptSettings.matchAll(/"(\/[^"]+)"/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => !path.endsWith('/'));
}

function npmPaths(npm: string): string[] {
  return [...npm.matchAll(/^(?:cafile|\/\/.+:(?:certfile|keyfile))=(\/.+)$/gm)].map(
    (match) => match[1] ?? '',
  );
}

function pipCertificate(pip: string): string {
  return /^cert = (\/.+)$/m.exec(pip)?.[1] ?? '';
}

/** apt's logins for archives that ask for one. */
async function aptLogins(): Promise<HandedFile[]> {
  const directory = '/etc/apt/auth.conf.d';
  const names = await readdir(directory).catch(() => []);
  const paths = ['/etc/apt/auth.conf', ...names.map((name) => join(directory, name))];
  const texts = await Promise.all(paths.map(async (path) => ({ path, content: await readText(path) })));
  return texts.flatMap(({ path, content }) =>
    content === undefined ? [] : [{ path, content, mode: 0o600 }],
  );
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
}
