/** How a host is reached: the interface. `openssh.ts` is the implementation over the OpenSSH client. */

/** Everything needed to reach one host; comes from the provider or from an inventory. */
export interface SshTarget {
  /** Name in the inventory; used in messages. */
  readonly name: string;
  /** Host name or IP address. */
  readonly address: string;
  /** Where other hosts reach it, if not at `address`. */
  readonly privateAddress?: string | undefined;
  /**
   * What this machine's ssh configuration makes of `address`, where that is an alias which nobody else knows.
   */
  readonly hostName?: string | undefined;
  readonly port: number;
  readonly user: string;
  /** Private key file; absent: whatever ssh itself finds (agent, configuration). */
  readonly identityFile?: string | undefined;
  /** known_hosts file holding the host's key; absent: the user's own. Always strict. */
  readonly knownHostsFile?: string | undefined;
  /** ssh's configuration file (`-F`); absent: the user's own and the machine's. */
  readonly configFile?: string | undefined;
  /** Further `-o` options from the inventory, e.g. a jump host. */
  readonly options?: readonly string[] | undefined;
}

/**
 * The host's address for programs that do not read this machine's ssh configuration: other hosts, browsers.
 */
export function publicAddress({ address, hostName }: SshTarget): string {
  return hostName ?? address;
}

export interface RunOptions {
  /**
   * Bytes for the script's own standard input are not possible: the script itself comes that way. Use
   * `upload`.
   */
  readonly onStdout?: ((line: string) => void) | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
  /**
   * Gets the standard output, which may be long, instead of the result; a promise holds back what comes next.
   */
  readonly onOutput?: ((chunk: Buffer) => void | Promise<void>) | undefined;
  /** Milliseconds without an end after which the command is given up. Default 10 minutes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What trace and errors call it, e.g. `gather facts`. */
  readonly label: string;
  /** What the trace shows instead of the script, where that holds secrets in many forms. */
  readonly shown?: string | undefined;
  /** Values to hide wherever the output is shown. */
  readonly secrets?: readonly string[] | undefined;
  /** The standard output is itself a secret: it is returned and never traced. */
  readonly secretOutput?: boolean | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One multiplexed connection to one host. Opened at first use; every call goes over it. */
export interface Connection {
  readonly target: SshTarget;
  /** Milliseconds that its slowest opening took, signing in included; absent before the first. */
  readonly openedMs?: number | undefined;
  /**
   * Runs a bash script as root (through sudo where the user is not root). The script travels on standard
   * input, so nothing of it stands on a command line. A non-zero exit of the script is a result, not an
   * error.
   * @throws Failure kind `host` where the connection itself fails (the six usual failures) or the time is up.
   */
  script(text: string, options: RunOptions): Promise<RunResult>;
  /** Like `script`, and a non-zero exit is a Failure that names host, label, exit code and the last lines. */
  check(text: string, options: RunOptions): Promise<string>;
  /**
   * Writes a local file to the host as root, atomically (temporary name, fsync, rename); `onProgress` gets
   * bytes sent.
   */
  upload(
    source: { readonly path: string } | { readonly data: Uint8Array },
    remotePath: string,
    options: {
      readonly mode?: string;
      readonly signal?: AbortSignal;
      readonly onProgress?: (bytes: number) => void;
    },
  ): Promise<void>;
  /**
   * Runs `work` with a port on this machine's 127.0.0.1 that leads to a port of the host's own, and closes it
   * whatever happens.
   * @throws Failure kind `host` where the host cannot be reached, else what `work` throws
   */
  tunnel<T>(remotePort: number, work: (port: number) => Promise<T>): Promise<T>;
  /**
   * Arguments for `ssh` (without the program's name) that reach this host: for an interactive shell or
   * another program.
   */
  sshArguments(): readonly string[];
  /** Ends the connection. Safe to call twice; never throws. */
  close(): Promise<void>;
}
