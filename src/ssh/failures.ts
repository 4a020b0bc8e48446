/** Why a connection failed, told from what the OpenSSH client printed: pure. */
import { Failure, type FailureDetails } from '../errors.ts';
import { lastLines } from '../process/output.ts';
import { redact } from '../redact.ts';
import type { SshTarget } from './connection.ts';
import { knownHostName } from './known-hosts.ts';
import { command } from './quote.ts';

/**
 * The usual failures. Callers that wait for a host to boot go on at the first five and give up at the others.
 */
export type ConnectionFailureReason =
  /** no route, or a name that does not resolve */
  | 'unreachable'
  /** nothing listens there */
  | 'refused'
  /** no answer in time */
  | 'timeout'
  /** the host took the connection, and did not greet or sign us in in time: it is busy, or hangs */
  | 'slow'
  /**
   * something answered and hung up before anybody signed in: sshd starting or stopping, too many connections
   */
  | 'closed'
  /** the host does not take our key, or the key cannot be read */
  | 'permission'
  /** the host shows another key than the one it should */
  | 'host-key-changed'
  /** nobody said which key the host should show */
  | 'host-key-unknown'
  /** the user may not become root without a password */
  | 'no-sudo'
  /** the account runs something else than the command it is given */
  | 'no-shell'
  /** the connection ended while a command ran */
  | 'lost'
  /** the ssh program itself cannot start or does not understand its options */
  | 'client';

/** A connection that failed, with the reason for callers that decide by it. */
export class ConnectionFailure extends Failure {
  readonly reason: ConnectionFailureReason;
  /** The message without the host's name, for lists that have it. */
  readonly words: string;

  constructor(reason: ConnectionFailureReason, words: string, details: FailureDetails) {
    const { host } = details;
    super(reason === 'client' ? 'usage' : 'host', host === undefined ? words : `${host}: ${words}`, details);
    this.reason = reason;
    this.words = words;
  }
}

/** What a list says of a host that failed: it has the name itself. */
export function wordsOf(failure: Failure): string {
  return failure instanceof ConnectionFailure ? failure.words : failure.message;
}

/** What the client did when it failed. */
export interface FailedClient {
  readonly stderr: string;
  /** Exit code of ssh; null where it was ended for taking too long. */
  readonly exitCode: number | null;
  /** Whether the connection had been made before: then what fails is a command on it. */
  readonly connected: boolean;
  /** What was being run, e.g. `gather facts`. */
  readonly step?: string | undefined;
}

interface Explanation {
  readonly message: string;
  readonly next: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly reason: ConnectionFailureReason;
  readonly explain: (target: SshTarget, match: RegExpExecArray) => Explanation;
}

const where = (target: SshTarget) => `${target.address} port ${target.port}`;
const shell = (target: SshTarget) =>
  command(['ssh', '-v', '-p', String(target.port), `${target.user}@${target.address}`]);

/** The first rule that matches decides, so what names a cause stands before what names only an effect. */
const RULES: readonly Rule[] = [
  {
    pattern:
      /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for \S+ has changed and you have requested strict/i,
    reason: 'host-key-changed',
    explain: (target) => ({
      message:
        `the host at ${where(target)} shows another host key than the known one: it was reinstalled, or ` +
        'somebody sits in between',
      next:
        `If it was reinstalled, remove the old key with ${removeKey(target)} and add the new one, read ` +
        'on the host itself from /etc/ssh/ssh_host_ed25519_key.pub. Nothing was sent to it.',
    }),
  },
  {
    pattern: /No \S+ host key is known for|Host key verification failed/i,
    reason: 'host-key-unknown',
    explain: (target) => ({
      message: `the host key of ${where(target)} is not known, and no connection is made on trust`,
      next:
        `Add its line to ${target.knownHostsFile ?? '~/.ssh/known_hosts'}: ` +
        `${knownHostName(target.address, target.port)} and the key that the host itself has in ` +
        '/etc/ssh/ssh_host_ed25519_key.pub.',
    }),
  },
  {
    pattern: /Please login as the user "([^"]+)"/,
    reason: 'no-shell',
    explain: (target, match) => ({
      message: `${target.user} may not sign in at ${where(target)}: the host asks for the user ${match[1]}`,
      next: `Set ansible_user=${match[1]} for it in the inventory.`,
    }),
  },
  {
    pattern: new RegExp(
      [
        '^sudo: (?:a (?:password|terminal) is required|no tty present|sorry, you must have a tty)',
        'is not (?:in the sudoers file|allowed to (?:execute|run sudo))',
        'may not run sudo',
      ].join('|'),
      'im',
    ),
    reason: 'no-sudo',
    explain: (target) => ({
      message: `${target.user} may not become root through sudo without a password`,
      next:
        `On the host, as root: echo '${target.user} ALL=(ALL) NOPASSWD: ALL' > ` +
        `/etc/sudoers.d/${target.user.replaceAll(/[.~]/g, '_')}; or set ansible_user=root in the ` +
        'inventory.',
    }),
  },
  {
    pattern: /sudo: (?:command )?not found|sudo: No such file/i,
    reason: 'no-sudo',
    explain: (target) => ({
      message: `${target.user} cannot become root: sudo is not installed`,
      next:
        'On the host, as root: apt-get install sudo and let the user use it; or set ansible_user=root ' +
        'in the inventory.',
    }),
  },
  {
    pattern: /Could not resolve hostname [^\n]*|Name or service not known/i,
    reason: 'unreachable',
    explain: (target) => ({
      message: `the name ${target.address} has no address`,
      next: 'Correct ansible_host in the inventory, or the name service of this machine.',
    }),
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down|Host is unreachable/i,
    reason: 'unreachable',
    explain: (target, match) => ({
      message: `${where(target)} cannot be reached: ${match[0].toLowerCase()}`,
      next: 'Check that the host runs and its address is right: pipeline prod status.',
    }),
  },
  {
    pattern: /Connection refused/i,
    reason: 'refused',
    explain: (target) => ({
      message: `nothing listens at ${where(target)}: the connection was refused`,
      next:
        'The host is up but its SSH service is not, or it listens on another port: set ansible_port in ' +
        'the inventory, or start ssh.service on the host.',
    }),
  },
  {
    pattern: /Permission denied \(([^)]*)\)|Too many authentication failures/i,
    reason: 'permission',
    explain: (target) => ({
      message: `the host at ${where(target)} does not take ${keyOf(target)} for ${target.user}`,
      next:
        `Add the public key to ~${target.user}/.ssh/authorized_keys on the host, or name the right user ` +
        'and key in the inventory (ansible_user, ansible_ssh_private_key_file).',
    }),
  },
  {
    pattern: /System is (?:booting up|going down)|Unprivileged users are not permitted to log in yet/i,
    reason: 'closed',
    explain: (target) => ({
      message: `${where(target)} is still starting or about to stop`,
      next: 'Wait a few seconds and run the command again.',
    }),
  },
  {
    pattern:
      /Bad configuration option|command-line line \d+|[Uu]nsupported option|no such option|unknown option/,
    reason: 'client',
    explain: (target) => ({
      message: `ssh does not understand its options for ${target.name}`,
      next: 'Correct ansible_ssh_common_args in the inventory, or ~/.ssh/config.',
    }),
  },
  {
    pattern: /Unable to negotiate with [^\n]*/i,
    reason: 'closed',
    explain: (target) => ({
      message: `this machine and ${where(target)} have no key exchange, cipher or key type in common`,
      next: 'Update OpenSSH on the older side.',
    }),
  },
  {
    pattern: /timed out during banner exchange/i,
    reason: 'slow',
    explain: (target) => ({
      message: `${where(target)} takes the connection, and its SSH service says nothing`,
      next:
        'The host is very busy, or its SSH service hangs: look at its load, or restart it, then run the ' +
        'command again.',
    }),
  },
  {
    pattern: /timed? ?out/i,
    reason: 'timeout',
    explain: (target) => ({
      message: `${where(target)} does not answer`,
      next: 'Check that the host runs (pipeline prod status) and no firewall drops SSH from this machine.',
    }),
  },
  {
    pattern:
      /kex_exchange_identification|Connection (?:(?:closed|reset) by|to \S+ closed)|ssh_dispatch_run_fatal/i,
    reason: 'closed',
    explain: (target) => ({
      message: `${where(target)} hung up before anybody signed in`,
      next:
        'Its SSH service is starting, stopping, or turns away too many connections: wait a few seconds ' +
        'and run the command again.',
    }),
  },
];

/** The failure that the client's output tells of. Never a success: call it only where ssh itself failed. */
export function connectionFailure(target: SshTarget, client: FailedClient): ConnectionFailure {
  const output = lastLines(client.stderr).map((line) => redact(line));
  const details = { host: target.name, step: client.step, output };
  for (const { pattern, reason, explain } of RULES) {
    // On a connection that stood, a time-out or a hang-up means that it was lost; what sudo or the shell says
    // means what it says.
    if (client.connected && reason !== 'no-sudo' && reason !== 'no-shell') continue;
    const match = pattern.exec(client.stderr);
    if (match === null) continue;
    const { message, next } = explain(target, match);
    return new ConnectionFailure(reason, message, { ...details, next });
  }
  if (!client.connected) {
    const reason = client.exitCode === null ? 'slow' : 'closed';
    const message =
      client.exitCode === null
        ? 'does not finish signing in'
        : `cannot be reached (ssh exit ${client.exitCode})`;
    return new ConnectionFailure(reason, `${where(target)} ${message}`, {
      ...details,
      next: `See what ssh says: ${shell(target)}`,
    });
  }
  if (client.exitCode === 255) {
    return new ConnectionFailure('lost', 'the connection was lost half-way', {
      ...details,
      next:
        'What had begun on the host may still be running there. Run the command again: it goes on from ' +
        'what is done.',
    });
  }
  return new ConnectionFailure(
    'no-shell',
    `${target.user} at ${where(target)} did not run the command to its end (exit ` +
      `${client.exitCode ?? 'unknown'})`,
    {
      ...details,
      next:
        'Either the account has no ordinary shell or no bash, or the command was killed on the host ' +
        '(journalctl -k shows whether memory ran out).',
    },
  );
}

function keyOf(target: SshTarget): string {
  return target.identityFile === undefined ? 'any key that ssh offers' : `the key ${target.identityFile}`;
}

function removeKey(target: SshTarget): string {
  const file = target.knownHostsFile === undefined ? [] : ['-f', target.knownHostsFile];
  return command(['ssh-keygen', ...file, '-R', knownHostName(target.address, target.port)]);
}
