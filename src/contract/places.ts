/** Where everything of an application is on a host, and what it is called there. Pure. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';

/** The two places of an application on a host that take turns. */
export type Colour = 'blue' | 'green';

/** Node versions, side by side. */
export const NODE_ROOT = '/opt/pipeline/node';
/** The program that carries releases out, and the Node that runs it. */
export const ONHOST = '/opt/pipeline/onhost';
/** Programs of the monitor and the agent, each version of Node in `node-VERSION`. */
export const AGENT_NODES = '/opt/pipeline/monitor';
/** Artifacts on their way into a release. */
export const INCOMING = '/var/lib/pipeline/incoming';
/** WARs that were rewritten for Jakarta EE, by the hash of what they were made from. */
export const MIGRATED = '/var/lib/pipeline/migrated';
/** Who builds on hosts: may read what everybody may, and write nothing but the folder of the build. */
export const BUILD_USER = 'pipeline-build';
/** What applications may write to, one folder each. */
export const STATE_ROOT = '/var/lib/pipeline-apps';
/**
 * Folders of applications that outlive their releases (`persist:`), below one folder each. Those above them
 * are root's, so that nobody else can put a link in the way.
 */
export const PERSIST_ROOT = '/var/lib/pipeline-persist';
/** What is kept of applications over their releases: port, secrets. */
export const APPS = '/etc/pipeline/apps';

/** Who did what on this host, one JSON line each (`AuditLine`). */
export const AUDIT_LOG = '/var/log/pipeline/audit.jsonl';

/** Which release was put into which colour when: a line `SECONDS COLOUR RELEASE APP` each. */
export const PLACED_LOG = '/var/log/pipeline/placed';

/** Settings of the networks of instances that have their own. */
export const NETWORKS = '/etc/pipeline/networks';

/** Ports are handed out in slots of 32 for each application: 16 for blue, 16 for green. */
const FIRST_PORT = 21_000;
const SLOT_PORTS = 32;
export const SLOTS = 280;

/**
 * Networks of their own for instances: a /30 for each port, out of the range for benchmarks of network
 * devices (RFC 2544).
 */
const FIRST_ADDRESS = [198, 18] as const;

export function appRoot(app: string): string {
  return `/srv/${app}`;
}

export function releaseFolder(app: string, release: string): string {
  return `${appRoot(app)}/releases/${release}`;
}

/** The link that says which release a colour has. */
export function colourLink(app: string, colour: Colour): string {
  return `${appRoot(app)}/${colour}`;
}

export function settingsFolder(app: string): string {
  return `${APPS}/${app}`;
}

/** A folder that outlives releases. `name`: as the definition has it, e.g. `public/media`. */
export function persistFolder(app: string, name: string): string {
  return `${PERSIST_ROOT}/${app}/${name}`;
}

export function other(colour: Colour): Colour {
  return colour === 'blue' ? 'green' : 'blue';
}

/** `blue` alone, or `blue`, `blue-2`, `blue-3`. */
export function instanceNames(colour: Colour, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? colour : `${colour}-${index + 1}`));
}

export function unitName(app: string, instance: string): string {
  return `pipeline-${app}@${instance}.service`;
}

/** Names of a process's units in a colour: `blue-worker`, `blue-worker-2`, … */
export function processNames(colour: Colour, name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? `${colour}-${name}` : `${colour}-${name}-${index + 1}`,
  );
}

/** Whether a unit is a process beside the web ones, whose further instances have a number alone. */
export function isProcessUnit(unit: string): boolean {
  return processOf(unit) !== undefined;
}

/** The name in the definition of the process that a unit runs; undefined: it is a web process. */
export function processOf(unit: string): string | undefined {
  return /@(?:blue|green)-([a-z][a-z0-9-]*?)(?:-\d+)?\.service$/.exec(unit)?.[1];
}

/** The service of a job; a timer of the same name starts it. It belongs to no colour. */
export function jobUnit(app: string, job: string): string {
  return unitName(app, `job-${job}`);
}

export function jobTimer(app: string, job: string): string {
  return jobUnit(app, job).replace(/service$/, 'timer');
}

/** The link to the release whose jobs run: the one that was kept last. */
export function liveLink(app: string): string {
  return `${appRoot(app)}/live`;
}

/** What became of the runs of applications' jobs. */
export const JOB_RUNS = '/var/lib/pipeline/jobs';

export function networkUnit(app: string, instance: string): string {
  return `pipeline-network@${app}-${instance}.service`;
}

/**
 * The system user that an application runs as: at most 32 characters that Linux takes, different for
 * different applications.
 */
export function systemUser(app: string): string {
  const plain = app.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  if (plain === app && plain.length <= 28) return `app-${plain}`;
  const hash = createHash('sha256').update(app).digest('hex').slice(0, 4);
  return `app-${plain.slice(0, 23)}-${hash}`;
}

/** The port of one instance (the first has index 0). */
export function portOf(slot: number, colour: Colour, index: number): number {
  return FIRST_PORT + slot * SLOT_PORTS + (colour === 'green' ? SLOT_PORTS / 2 : 0) + index;
}

/** The slot that a port belongs to; undefined for ports of other programs. */
export function slotOf(port: number): number | undefined {
  const slot = Math.floor((port - FIRST_PORT) / SLOT_PORTS);
  return slot >= 0 && slot < SLOTS ? slot : undefined;
}

/** The network of one instance that has its own, numbered by the port that it would have otherwise. */
export interface InstanceNetwork {
  /** Name of the network namespace, below /run/netns. */
  readonly namespace: string;
  /** Of the interface on the host's side. */
  readonly link: string;
  /** The host's address in it. */
  readonly gateway: string;
  /** The instance's. */
  readonly address: string;
}

export function networkOf(app: string, instance: string, port: number): InstanceNetwork {
  const index = port - FIRST_PORT;
  const at = (host: number) => {
    const offset = index * 4 + host;
    return [...FIRST_ADDRESS, offset >> 8, offset & 255].join('.');
  };
  return { namespace: `pipeline-${app}-${instance}`, link: `pln${index}`, gateway: at(1), address: at(2) };
}

/**
 * `20261123-041500-05c965f`: UTC time and short commit (or hash of a file that was given), so that
 * names sort by age.
 */
export function releaseName(at: Date, version: string): string {
  const [date = '', time = ''] = at.toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${version.slice(0, 7)}`;
}

/** The folder of a release that a command starts in. */
export function workingDirectory(app: string, release: string, directory: string): string {
  return posix.join(releaseFolder(app, release), 'app', directory);
}
