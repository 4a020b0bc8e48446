/** What is done on a droplet's own system at first contact: over SSH, strict from the first connection on. */
import { rm } from 'node:fs/promises';
import type { Context } from '../../../context.ts';
import { Failure } from '../../../errors.ts';
import { lastLines } from '../../../process/output.ts';
import type { Connection } from '../../../ssh/connection.ts';
import { ConnectionFailure, type ConnectionFailureReason } from '../../../ssh/failures.ts';
import { writeKnownHosts } from '../../../ssh/known-hosts.ts';
import { connect } from '../../../ssh/openssh.ts';
import type { Clock } from '../api/clock.ts';
import { until } from '../api/wait.ts';
import { adoptScript, ON_DROPLET, offerScript, SETTLE_SCRIPT } from './host-scripts.ts';

/** A droplet's system, as first contact needs it. */
export interface DropletHost {
  /** Ends when somebody can sign in. */
  reach(): Promise<void>;
  /** Ends when the system's own first start is over. */
  settle(): Promise<void>;
  /**
   * Makes a host key on the droplet, to be used from `adoptHostKey` on. Called again, also after that, it
   * answers the same.
   * @returns the public key, `ssh-ed25519 AAAA…`
   */
  offerHostKey(): Promise<string>;
  /** Shows the offered key, and no other, from the next connection on. Called again it changes nothing. */
  adoptHostKey(): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}

export interface HostTarget {
  readonly name: string;
  readonly address: string;
  readonly identityFile: string;
  /** Keys that it may show. */
  readonly hostKeys: readonly string[];
}

export type OpenHost = (target: HostTarget) => DropletHost;

/** How long a droplet may take until SSH answers, from the moment it is active. */
const REACH_MS = 5 * 60_000;
/**
 * How long a droplet that answers may take until it shows its key and knows ours: cloud-init is about to
 * give it both.
 */
const PATIENCE_MS = 60_000;
/** For one try; more than the connection itself waits for. */
const SIGN_IN_MS = 45_000;
const CLOUD_INIT_MS = 15 * 60_000;
const PASSING: readonly ConnectionFailureReason[] = [
  'unreachable',
  'refused',
  'timeout',
  'slow',
  'closed',
  'lost',
];
const OTHER_KEY: readonly ConnectionFailureReason[] = ['host-key-changed', 'host-key-unknown'];
const WAITED_FOR_SHORTLY: readonly ConnectionFailureReason[] = ['permission', ...OTHER_KEY];

/**
 * Whether a connection failed for a reason that passes: the host is starting or restarting, the network was
 * away.
 */
export function isPassing(error: unknown): boolean {
  return error instanceof ConnectionFailure && PASSING.includes(error.reason);
}

interface HostOptions {
  readonly context: Context;
  readonly clock: Clock;
  /** Beginning of the paths of the known_hosts files, one for each host and only while it is connected. */
  readonly knownHosts: string;
  /** Further public keys that may sign in as root. */
  readonly authorizedKeys: readonly string[];
  /** Default: over the OpenSSH client. */
  readonly connect?: typeof connect | undefined;
}

/** Opens hosts over SSH. */
export function openSshHost(options: HostOptions): OpenHost {
  const { context } = options;
  return (target) => {
    const { name, address, identityFile } = target;
    const knownHostsFile = `${options.knownHosts}.${name}`;
    const connection = (options.connect ?? connect)(
      { name, address, port: 22, user: 'root', identityFile, knownHostsFile },
      context,
      { connectTimeoutSeconds: 5, persistSeconds: 10 },
    );
    return {
      async reach() {
        await writeKnownHosts(knownHostsFile, [{ address, port: 22, keys: target.hostKeys }]);
        await reach(connection, options);
      },
      settle: () => settle(connection),
      async offerHostKey() {
        const printed = await connection.check(offerScript(ON_DROPLET, options.authorizedKeys), {
          label: 'make a host key',
        });
        return printed.trim().split(/\s+/).slice(0, 2).join(' ');
      },
      async adoptHostKey() {
        await connection.check(adoptScript(ON_DROPLET), { label: 'exchange the host key' });
      },
      async close() {
        await connection.close();
        await rm(knownHostsFile, { force: true }).catch(() => {});
      },
    };
  };

  async function reach(connection: Connection, { context, clock }: HostOptions): Promise<void> {
    let last: unknown;
    let answeredAt: number | undefined;
    const waiting = { clock, signal: context.signal, everyMs: 1_500, withinMs: REACH_MS };
    const reached = await until(waiting, async () => {
      try {
        await connection.check('true', { label: 'sign in', timeoutMs: SIGN_IN_MS });
        return true;
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        last = error;
        if (isPassing(error)) return undefined;
        answeredAt ??= clock.now();
        if (WAITED_FOR_SHORTLY.includes(error.reason) && clock.now() - answeredAt < PATIENCE_MS)
          return undefined;
        throw OTHER_KEY.includes(error.reason) ? otherKey(connection, error) : error;
      }
    });
    if (reached === undefined) throw last;
  }
}

function otherKey({ target: { name, address } }: Connection, cause: ConnectionFailure): Failure {
  return new Failure(
    'host',
    `${name} (${address}) shows another host key than the one it was made with: ` +
      'it was rebuilt, or somebody sits in between',
    {
      host: name,
      step: 'host key',
      cause,
      next:
        'Nothing was sent to it. If you rebuilt it, delete it at https://cloud.digitalocean.com/droplets ' +
        'and run pipeline prod up, which makes a new one.',
    },
  );
}

/** cloud-init's own apt and user data run until then; whoever comes earlier meets its locks. */
async function settle(connection: Connection): Promise<void> {
  const { name } = connection.target;
  const result = await connection.script(SETTLE_SCRIPT, {
    label: 'wait for cloud-init',
    timeoutMs: CLOUD_INIT_MS,
  });
  // 2: it ended and complains about something that does not matter (cloud-init 23.4 and later).
  if (result.exitCode === 0 || result.exitCode === 2) return;
  throw new Failure('host', `${name}: cloud-init failed (exit ${result.exitCode})`, {
    host: name,
    step: 'cloud-init',
    output: lastLines(result.stdout),
    next:
      'Read /var/log/cloud-init-output.log on the droplet. Or delete it at ' +
      'https://cloud.digitalocean.com/droplets and run pipeline prod up, which makes a new one.',
  });
}
