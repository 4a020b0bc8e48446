/** The host's units, their journal, and commands that run as units. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HookCommand, Host } from '../host.ts';
import { run } from './run.ts';

type Systemd = Pick<
  Host,
  | 'loaded'
  | 'unit'
  | 'nextElapse'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reloadUnits'
  | 'log'
  | 'lastExit'
  | 'hook'
  | 'listensOn'
>;

const BUSY = 'active,activating,deactivating,reloading,failed';
const LOG_LINES = 2000;

async function systemctl(...args: readonly string[]): Promise<boolean> {
  return (await run('systemctl', args)).code === 0;
}

async function properties(unit: string, ...names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { out } = await run('systemctl', ['show', unit, ...names.map((name) => `--property=${name}`)]);
  return new Map(
    out.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
}

async function journal(unit: string, since: string, ...more: readonly string[]): Promise<readonly string[]> {
  await run('journalctl', ['--sync']);
  const window = ['--unit', unit, '--since', `@${since}`, '--lines', String(LOG_LINES)];
  const { out } = await run('journalctl', [...window, '--output', 'cat', '--no-pager', '--quiet', ...more]);
  return out.split('\n').filter((line) => line !== '');
}

/** Reads what a command prints, line by line, and notes each second without a line. */
function hook(command: HookCommand, onLine: (line: string | undefined) => void): Promise<number> {
  const properties = [
    `User=${command.user}`,
    `Group=${command.user}`,
    `WorkingDirectory=${command.directory}`,
    `EnvironmentFile=${command.environmentFile}`,
    `Environment=PATH=${command.path}`,
    ...command.variables.map((variable) => `Environment=${variable}`),
    'NoNewPrivileges=yes',
    'ProtectSystem=full',
    `StateDirectory=${command.state}`,
    'StateDirectoryMode=0750',
    `RuntimeMaxSec=${command.seconds}`,
  ].flatMap((property) => ['-p', property]);
  const how = ['--quiet', '--wait', '--pipe', '--collect', '--unit', command.unit];
  // What it prints on standard error belongs between its other lines.
  const words = ['/bin/sh', '-c', 'exec /bin/sh -c "$1" 2>&1', 'hook', command.command];
  // systemd replaces variables in a command before the shell does.
  const merged = words.map((word) => word.replaceAll('$', '$$$$'));
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-run', [...how, ...properties, ...merged], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const quiet = setInterval(() => onLine(undefined), 1000);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        quiet.refresh();
        onLine(line);
      });
    }
    child.on('error', (error) => {
      clearInterval(quiet);
      reject(error);
    });
    child.on('close', (code) => {
      clearInterval(quiet);
      resolve(code ?? 255);
    });
  });
}

/** Looks inside each process's own network, which may not be the host's. */
async function listensOn(unit: string): Promise<readonly string[]> {
  const group = (await properties(unit, 'ControlGroup')).get('ControlGroup') ?? '';
  const paths = [`/sys/fs/cgroup${group}/cgroup.procs`, `/sys/fs/cgroup/systemd${group}/cgroup.procs`];
  const pids = (await run('cat', paths)).out.split('\n').filter((pid) => pid !== '');
  const found = new Set<string>();
  for (const pid of pids) {
    const { out } = await run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ss', '-Hltnp']);
    for (const line of out.split('\n')) {
      const address = line.split(/\s+/)[3];
      if (address !== undefined && line.includes(`pid=${pid},`)) found.add(address);
    }
  }
  return [...found].sort();
}

export const systemd: Systemd = {
  loaded: async (...patterns) => {
    const args = ['list-units', '--plain', '--no-legend', `--state=${BUSY}`, ...patterns];
    const { out } = await run('systemctl', args);
    return out.split('\n').flatMap((line) => {
      const [unit, , active] = line.trim().split(/\s+/);
      return unit && active ? [{ unit, active }] : [];
    });
  },
  unit: async (unit) => {
    const all = await properties(unit, 'ActiveState', 'NRestarts', 'Result', 'ExecMainStatus');
    return {
      active: all.get('ActiveState') ?? 'inactive',
      restarts: Number(all.get('NRestarts') ?? 0),
      result: all.get('Result') ?? '',
      exitCode: all.get('ExecMainStatus') ?? '',
    };
  },
  nextElapse: async (timer) => {
    const args = ['show', timer, '--property=NextElapseUSecRealtime', '--value'];
    const { out } = await run('systemctl', args, { env: { TZ: 'UTC', LC_ALL: 'C' } });
    // Mon 2026-11-30 03:00:00 UTC
    const [, date, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC/.exec(out) ?? [];
    return date === undefined ? undefined : Date.parse(`${date}T${time}Z`);
  },
  start: (unit) => systemctl('start', unit),
  stop: async (...units) => {
    await systemctl('stop', '--quiet', ...units);
    await systemctl('reset-failed', '--quiet', ...units);
  },
  restart: async (unit) => {
    if (!(await systemctl('restart', '--no-block', unit))) throw new Error(`${unit} cannot be started`);
  },
  reloadUnits: async () => {
    if (!(await systemctl('daemon-reload'))) throw new Error('systemctl daemon-reload failed');
  },
  log: (unit, since) => journal(unit, since, '_TRANSPORT=stdout'),
  lastExit: async (unit, since) => {
    const lines = await journal(unit, since);
    const codes = lines.flatMap((line) => /code=[a-z]*, status=([^ /]*)/.exec(line)?.[1] ?? []);
    return codes.at(-1) ?? '';
  },
  listensOn,
  hook,
};
