/** systemd's units over D-Bus: read once, then again when systemd says that they changed. */
import { existsSync } from 'node:fs';
import { Bus, SYSTEM_BUS, SYSTEMD_PRIVATE } from './dbus.ts';
import type { Message } from './dbus-message.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER = 'org.freedesktop.systemd1.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const ROOT = '/org/freedesktop/systemd1';

/** What systemd says of one unit. */
export interface UnitStatus {
  readonly unit: string;
  /** ActiveState, e.g. `active`; `absent` where systemd knows no such unit. */
  readonly state: string;
  /** SubState, e.g. `running`, `auto-restart`. */
  readonly sub: string;
  /**
   * Automatic restarts since the unit was last started by hand (NRestarts); 0 for units that are no services.
   */
  readonly restarts: number;
  /** Path of the control group, empty while nothing runs. */
  readonly group: string;
}

/**
 * A row of ListUnits: name, description, load state, active state, sub state, follower, object path, and
 * three of the job.
 */
type Listed = readonly [string, string, string, string, string, string, string, ...unknown[]];

/** Escaped ends of object paths whose units come and go all the time and are nobody's service. */
const FLEETING = /_2e(scope|slice|device)$/;

export class Systemd {
  readonly #bus: Bus;
  /** Object paths that changed since they were read. */
  readonly #changed = new Set<string>();
  readonly #details = new Map<string, { restarts: number; group: string }>();

  private constructor(bus: Bus) {
    this.#bus = bus;
    bus.onSignal = (signal) => this.#onSignal(signal);
  }

  /** @throws Error where neither the system bus nor, for root, systemd itself can be reached */
  static async open(): Promise<Systemd> {
    const direct = !existsSync(SYSTEM_BUS) && process.getuid?.() === 0;
    const bus = await Bus.open(direct ? SYSTEMD_PRIVATE : SYSTEM_BUS);
    return new Systemd(bus);
  }

  /** Called once when the connection has gone. */
  set onEnd(listener: (error: Error) => void) {
    this.#bus.onEnd = listener;
  }

  close(): void {
    this.#bus.close();
  }

  /** Subscribes to changes. */
  async subscribe(): Promise<void> {
    const rule = `type='signal',sender='${SYSTEMD}',interface='${PROPERTIES}',path_namespace='${ROOT}/unit'`;
    const dbus = 'org.freedesktop.DBus';
    await this.#bus.call({
      destination: dbus,
      path: '/org/freedesktop/DBus',
      interface: dbus,
      member: 'AddMatch',
      signature: 's',
      args: [rule],
    });
    await this.#manager('Subscribe');
  }

  /** Whether anything changed since `list`. */
  get changed(): boolean {
    return this.#changed.size > 0;
  }

  /** Units of these patterns (`nginx.service`, `app@*.service`) that are loaded, and every failed unit. */
  async list(patterns: readonly string[]): Promise<UnitStatus[]> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    const [named, failed] = await Promise.all([
      this.#manager('ListUnitsByPatterns', 'asas', [[], patterns]),
      this.#manager('ListUnitsByPatterns', 'asas', [['failed'], []]),
    ]);
    const listed = new Map(
      [...(named[0] as Listed[]), ...(failed[0] as Listed[])].map((row) => [row[0], row]),
    );
    for (const path of this.#details.keys()) if (changed.has(path)) this.#details.delete(path);
    return Promise.all(
      [...listed.values()].map(async ([unit, , , state, sub, , path]) => ({
        unit,
        state,
        sub,
        ...(await this.#detail(path, unit)),
      })),
    );
  }

  /** One unit now, whether it is loaded or not. */
  async status(unit: string): Promise<UnitStatus> {
    const [path] = await this.#manager('LoadUnit', 's', [unit]);
    const get = (name: string, kind = 'Unit'): Promise<unknown> => this.#get(String(path), kind, name);
    const [load, state, sub, detail] = await Promise.all([
      get('LoadState'),
      get('ActiveState'),
      get('SubState'),
      this.#readDetail(String(path), unit),
    ]);
    return { unit, state: load === 'not-found' ? 'absent' : String(state), sub: String(sub), ...detail };
  }

  #onSignal(signal: Message): void {
    if (!FLEETING.test(signal.path) && this.#changed.size < 10_000) this.#changed.add(signal.path);
  }

  async #detail(path: string, unit: string): Promise<{ restarts: number; group: string }> {
    const known = this.#details.get(path);
    if (known !== undefined) return known;
    const detail = await this.#readDetail(path, unit);
    if (this.#details.size > 1000) this.#details.clear();
    this.#details.set(path, detail);
    return detail;
  }

  async #readDetail(path: string, unit: string): Promise<{ restarts: number; group: string }> {
    if (!unit.endsWith('.service')) return { restarts: 0, group: '' };
    const [restarts, group] = await Promise.all([
      this.#get(path, 'Service', 'NRestarts'),
      this.#get(path, 'Service', 'ControlGroup'),
    ]);
    return { restarts: Number(restarts), group: String(group) };
  }

  async #get(path: string, kind: string, property: string): Promise<unknown> {
    const args = [`${SYSTEMD}.${kind}`, property];
    const [value] = await this.#bus.call({
      destination: SYSTEMD,
      path,
      interface: PROPERTIES,
      member: 'Get',
      signature: 'ss',
      args,
    });
    return value;
  }

  #manager(member: string, signature?: string, args?: readonly (string | readonly string[])[]) {
    const call = { destination: SYSTEMD, path: ROOT, interface: MANAGER, member };
    return this.#bus.call(signature === undefined ? call : { ...call, signature, args: args ?? [] });
  }
}
