/** Looks at the whole machine for anything of one environment: what a destroy must not leave. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { environmentLayout, localSettings } from '../../src/cloud/local/settings.ts';
import type { EnvironmentSpec } from '../../src/cloud/provider.ts';

/**
 * One line for each thing found, e.g. `device pl-0a1b2c3d`. Ended processes that nobody has collected yet
 * (state Z) do not count.
 */
export function leftovers(spec: EnvironmentSpec): string[] {
  const { id, directory, bridge, table } = environmentLayout(localSettings(process.env), spec);
  const marks = [id, directory];
  const marked = (text: string) => marks.some((mark) => text.includes(mark));
  const found = new Set<string>();
  if (existsSync(directory)) found.add(`folder ${directory}`);
  for (const device of readdirSync('/sys/class/net')) {
    if (device.startsWith(bridge)) found.add(`device ${device}`);
  }
  const tables = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  if (tables.includes(table)) found.add(`nftables ${table}`);
  // Others' groups may go away while find walks.
  const search = ['/sys/fs/cgroup', '-ignore_readdir_race', '-path', `*${id}*`, '-type', 'd'];
  const groups = execFileSync('find', search, { encoding: 'utf8' });
  for (const group of groups.split('\n').filter(Boolean)) found.add(`control group ${group}`);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = read(`/proc/${pid}/status`);
    if (/^State:\s+Z/m.test(status)) continue;
    const [command, cgroup, mounts] = ['cmdline', 'cgroup', 'mountinfo'].map((file) =>
      read(`/proc/${pid}/${file}`),
    );
    if (Number(pid) !== process.pid && marked(`${command}${cgroup}`) && !command?.includes('hosts-cleaner')) {
      found.add(`process ${pid} ${command?.replaceAll('\0', ' ')}`);
    }
    for (const line of mounts?.split('\n').filter(marked) ?? []) found.add(`mount ${line} of ${pid}`);
  }
  return [...found];
}

/** A file of `/proc`, whose process may have ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
