/** pip's settings about fetching, for hosts that install Python packages. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What says where packages come from, and how they are reached. */
const KEYS = ['index-url', 'extra-index-url', 'trusted-host', 'proxy', 'cert', 'timeout', 'retries'] as const;

/**
 * The text of a pip.conf, from the files that pip reads (least specific first) and the environment; empty:
 * this machine has no such settings. May hold passwords.
 */
export async function pipSettings(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const home = env.HOME ?? '/root';
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config');
  const files = ['/etc/pip.conf', join(home, '.pip/pip.conf'), join(config, 'pip/pip.conf')];
  const texts = await Promise.all(
    [...files, ...(env.PIP_CONFIG_FILE === undefined ? [] : [env.PIP_CONFIG_FILE])].map((path) =>
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      }),
    ),
  );
  return selectPipSettings(texts, env);
}

/**
 * The settings of `[global]` and `[install]` that are about fetching; later files win, variables over all.
 */
export function selectPipSettings(
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const settings = new Map<string, string>();
  for (const text of texts) {
    let section = '';
    let key: string | undefined;
    for (const line of text.split('\n')) {
      section = /^\[([\w-]+)\]/.exec(line)?.[1] ?? section;
      const [, name, value = ''] = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
      if (name !== undefined) key = KEYS.find((known) => known === name.replaceAll('_', '-'));
      if (key === undefined || !['global', 'install'].includes(section)) continue;
      // Further values of a setting stand indented below it.
      if (name !== undefined) settings.set(key, value);
      else if (/^\s+\S/.test(line)) settings.set(key, `${settings.get(key) ?? ''}\n  ${line.trim()}`);
    }
  }
  for (const key of KEYS) {
    const value = env[`PIP_${key.toUpperCase().replaceAll('-', '_')}`];
    if (value !== undefined) settings.set(key, value);
  }
  const lines = [...settings].map(([key, value]) => `${key} = ${value}\n`);
  return lines.length === 0 ? '' : `[global]\n${lines.join('')}`;
}
