/** A small host in memory: files, units with states, weights, connections, a clock that only sleeps move. */
import type { CheckResult, HookCommand, Host } from '../../src/onhost/host.ts';

interface FakeUnit {
  active: string;
  restarts: number;
}

/** Thrown by every call once the program is dead. */
class Killed extends Error {}

export class FakeHost implements Host {
  readonly executable = '/opt/pipeline/agent/node';
  time = Date.UTC(2026, 10, 28);
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  readonly folders = new Set<string>();
  readonly units = new Map<string, FakeUnit>();
  readonly busy = new Map<string, number>();
  readonly listeners = new Map<number, string>();
  readonly calls: string[] = [];
  green: number | undefined;
  site = '';
  /** What a check says, by address; healthy where nothing is set. */
  checks: (address: string) => CheckResult = () => ({ healthy: true, silent: false, said: 'GET / → 200' });
  attachedEnds: (args: readonly string[]) => number = () => 0;
  hooks: (hook: HookCommand) => number = () => 0;
  /** What other hosts' sites answer. */
  answers: (address: string, path: string) => string | undefined = () => undefined;
  onSleep: (ms: number) => void = () => {};

  now = () => this.time;
  journalTime = () => (this.time / 1000).toFixed(6);
  sleep = async (ms: number) => {
    this.time += ms;
    this.onSleep(ms);
  };

  read = async (path: string) => this.files.get(path);
  write = async (path: string, text: string) => {
    this.files.set(path, text);
  };
  append = async (path: string, text: string) => {
    this.files.set(path, (this.files.get(path) ?? '') + text);
  };
  exists = async (path: string) =>
    this.folders.has(path) || [...this.files.keys(), ...this.links.keys()].some((one) => below(one, path));
  list = async (path: string) => {
    const all = [...this.files.keys(), ...this.links.keys(), ...this.folders];
    const names = all.filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1));
    return [...new Set(names.map((name) => name.split('/')[0] ?? ''))];
  };
  makeFolder = async (path: string) => {
    this.folders.add(path);
  };
  remove = async (path: string) => {
    for (const kept of [this.files, this.links]) {
      for (const one of kept.keys()) if (below(one, path)) kept.delete(one);
    }
    for (const one of this.folders) if (below(one, path)) this.folders.delete(one);
  };
  rename = async (from: string, to: string) => {
    const moved = (one: string) => to + one.slice(from.length);
    for (const kept of [this.files, this.links]) {
      for (const [one, text] of [...kept]) {
        if (!below(one, from)) continue;
        kept.delete(one);
        kept.set(moved(one), text);
      }
    }
    for (const one of [...this.folders]) {
      if (below(one, from)) this.folders.delete(one) && this.folders.add(moved(one));
    }
  };
  link = async (target: string, path: string) => {
    this.links.set(path, target);
  };
  readLink = async (path: string) => this.links.get(path);
  changedAt = async (path: string) => (this.files.has(path) ? this.time : undefined);
  sha256 = async (path: string) => this.files.get(path);
  free = async () => '12K';
  run = async (program: string, ...args: readonly string[]) => {
    this.calls.push([program, ...args].join(' '));
    if (program === 'tar') await this.write(`${args.at(-1)}/index.js`, 'new');
    return { code: 0, said: '' };
  };

  loaded = async (...patterns: readonly string[]) =>
    [...this.units]
      .filter(([unit, { active }]) => active !== 'inactive' && patterns.some((one) => matches(unit, one)))
      .map(([unit, { active }]) => ({ unit, active }));
  unit = async (unit: string) => {
    const { active = 'inactive', restarts = 0 } = this.units.get(unit) ?? {};
    return { active, restarts, result: 'exit-code', exitCode: '1' };
  };
  nextElapse = async (): Promise<number | undefined> => this.time + 60_000;
  start = async (unit: string) => {
    this.calls.push(`start ${unit}`);
    this.units.set(unit, { active: 'active', restarts: 0 });
    return true;
  };
  stop = async (...units: readonly string[]) => {
    this.calls.push(`stop ${units.join(' ')}`);
    for (const unit of units) this.units.set(unit, { active: 'inactive', restarts: 0 });
  };
  restart = async (unit: string) => {
    await this.start(unit);
  };
  reloadUnits = async () => {
    this.calls.push('daemon-reload');
  };
  log = async (unit: string) => [`${unit} said this`];
  lastExit = async () => '7';

  listener = async (port: number) => this.listeners.get(port);
  listensOn = async (): Promise<readonly string[]> => [];
  connections = async (addresses: readonly string[]) =>
    addresses.reduce((sum, address) => sum + (this.busy.get(address) ?? 0), 0);
  ask = async ({ address }: { readonly address: string }, path: string) => this.answers(address, path);
  check = async (_folder: string, address: string) => this.checks(address);
  weights = async () => this.green;
  moveTraffic = async (_app: string, green: number) => {
    this.calls.push(`weights ${green}`);
    this.green = green;
  };
  putSite = async (
    _app: string,
    text: string,
  ): Promise<{ readonly changed: boolean } | { readonly refused: readonly string[] }> => {
    const changed = this.site !== text;
    this.site = text;
    this.green ??= 0;
    return { changed };
  };
  shareTraffic = async (_app: string, { name }: { readonly name: string }) => {
    this.calls.push(`share ${name}`);
    this.green = Number.parseFloat(name.slice(1));
  };
  beginSplit = async () => {
    this.calls.push('begin split');
  };
  endSplit = async () => {
    this.calls.push('end split');
  };
  /** What nginx has written of a rollout, and nobody has read. */
  readonly lines: string[] = [];
  takeLines = async (_path: string, from: number) => {
    const lines = this.lines.splice(0);
    return { lines, next: from + lines.length };
  };
  attached = async (program: string, ...args: readonly string[]) => {
    this.calls.push([program, ...args].join(' '));
    return this.attachedEnds(args);
  };
  hook = async (hook: HookCommand, onLine: (line: string | undefined) => void) => {
    this.calls.push(`hook ${hook.command}`);
    onLine('migrating');
    return this.hooks(hook);
  };
}

function below(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function matches(unit: string, pattern: string): boolean {
  const [start = '', end = ''] = pattern.split('*');
  return pattern.includes('*') ? unit.startsWith(start) && unit.endsWith(end) : unit === pattern;
}

/** Counts what is asked of a host, and lets the n-th call fail, or the program die at it. */
export function broken(host: FakeHost, at: number, how: 'fail' | 'kill') {
  const count = { calls: 0, at: '' };
  const proxied = new Proxy<Host>(host, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function' || name === 'now' || name === 'journalTime') return value;
      return async (...args: readonly unknown[]) => {
        count.calls += 1;
        if (count.calls === at) count.at = String(name);
        if (how === 'kill' && count.calls >= at) throw new Killed();
        if (how === 'fail' && count.calls === at) throw new Error('ENOSPC: no space left on device');
        return value.apply(target, args);
      };
    },
  });
  return { host: proxied, count };
}
