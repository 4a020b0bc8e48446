/** What is run on the host: command lines and scripts as text, pure. */
import kill from './kill.sh' with { type: 'text' };
import { command } from './quote.ts';
import { withValues } from './script.ts';
import store from './store.sh' with { type: 'text' };

/** Names a run, on its command line and in its last line. Letters and digits. */
export type RunToken = string;

/**
 * Ends the first line of a run's own standard output: what a chatty shell printed before it (`.bashrc`) is
 * none of ours.
 */
export function beginMark(token: RunToken): string {
  return `pipeline-begin-${token}`;
}

/** The run's own standard output: what follows the mark; all of it where the run never began. */
export function ownOutput(text: string, token: RunToken): string {
  const mark = `${beginMark(token)}\n`;
  const at = text.indexOf(mark);
  return at < 0 ? text : text.slice(at + mark.length);
}

/**
 * What stands on the last line of a run's standard error, without a line end before it, so that it takes
 * nothing from the script's own.
 */
export function endMark(token: RunToken): RegExp {
  return new RegExp(`pipeline-end-${token}:(\\d+)\\r?$`);
}

/**
 * Reads the whole script before its first command runs: bash fed by a pipe reads byte by byte and runs what
 * it has, so a script cut off on the way would do half its work. The token as the last word says that all of
 * it came. The script's standard input is empty; the first line says where its output begins, the last one
 * with which code it ended.
 */
const RUN =
  's=$(cat); [[ $s == *"#$1" ]] || exit 1; printf "pipeline-begin-%s\\n" "$1"; (eval "$s") </dev/null; ' +
  'r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r';

/** As root, in one language whatever the user's is: output is read by programs. */
function asRoot(user: string, argv: readonly string[]): string {
  const line = ['env', 'LC_ALL=C.UTF-8', 'LANGUAGE=', ...argv];
  return command(user === 'root' ? line : ['sudo', '-n', '-H', '--', ...line]);
}

/** The command line that runs a script from standard input. */
export function runCommand(user: string, token: RunToken): string {
  return asRoot(user, ['bash', '-c', RUN, 'pipeline', token]);
}

/** What is sent to `runCommand`: the script, and the token that shows its end. */
export function runInput(script: string, token: RunToken): string {
  return `${script}\n#${token}`;
}

/**
 * The command line that stores standard input under a path: temporary name beside it, length compared (a
 * connection that breaks looks like an end of file), fsync, rename. Exit 28 (ENOSPC) with `free size` in
 * bytes where the disk is full. Ends like a run does.
 */
export function storeCommand(
  user: string,
  token: RunToken,
  file: { readonly path: string; readonly size: number; readonly mode: string },
): string {
  const end = 'r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r';
  const script = `printf "pipeline-begin-%s\\n" "$1"; (${store}); ${end}`;
  return asRoot(user, ['bash', '-c', script, 'pipeline', token, file.path, String(file.size), file.mode]);
}

/**
 * A script that ends another run: every process of the sessions that carry its token, asked first (SIGTERM),
 * then made to (SIGKILL). sshd gives every run a session of its own; services that the run started are
 * children of systemd and live on.
 */
export function killScript(token: RunToken, graceSeconds: number): string {
  return withValues(kill, { token, grace: String(graceSeconds) });
}
