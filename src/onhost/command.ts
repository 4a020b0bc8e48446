/** A command that somebody runs in a release (`pipeline run`), joined to our own terminal or pipes. */
import { COMMANDS, type CommandOrder } from '../contract/command.ts';
import { redactor } from '../redact.ts';
import type { Host } from './host.ts';
import { tellAudit } from './settle.ts';

/** As much of a command as the audit log holds. */
const MOST_CHARACTERS = 500;

/**
 * Runs it to its end, and tells the audit log.
 * @returns its exit code; 128 and the signal's number where one ended it; 2: there is no such order.
 */
export async function runCommand(token: string, host: Host): Promise<number> {
  const path = `${COMMANDS}/${token}.json`;
  const text = await host.read(path);
  if (text === undefined) return 2;
  await host.remove(path);
  const order = JSON.parse(text) as CommandOrder;
  const code = await host.attached('systemd-run', ...unitArguments(order));
  const exitCode = await endOf(order, code, host);
  await tellAudit(host, {
    at: new Date(host.now()).toISOString(),
    by: order.by,
    action: 'run',
    result: exitCode === 0 ? 'done' : `exit ${exitCode}`,
    app: order.app,
    release: order.release,
    message: await shown(order, host),
  });
  return exitCode;
}

function unitArguments({ unit, terminal, properties, words }: CommandOrder): readonly string[] {
  const line = words.length === 1 ? (words[0] ?? '') : 'exec "$@"';
  const command = ['/bin/sh', '-c', line, 'sh', ...(words.length === 1 ? [] : words)];
  return [
    ...['--quiet', '--wait', terminal ? '--pty' : '--pipe', `--unit=${unit}`],
    ...properties.map((property) => `--property=${property}`),
    '--',
    // systemd replaces variables in a command before the shell does.
    ...command.map((word) => word.replaceAll('$', '$$$$')),
  ];
}

/** What is left of it ends: its terminal may have gone. */
async function endOf({ unit }: CommandOrder, code: number, host: Host): Promise<number> {
  const ended = await host.unit(unit);
  await host.stop(unit);
  const bySignal = ['signal', 'core-dump', 'oom-kill'].includes(ended.result);
  return bySignal ? 128 + Number(ended.exitCode) : code;
}

/** The command without the values of secrets. */
async function shown({ words, environment, secrets }: CommandOrder, host: Host): Promise<string> {
  const values = ((await host.read(environment)) ?? '').split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^(\w+)="(.*)"$/.exec(line) ?? [];
    return secrets.includes(name) ? [value.replaceAll(/\\(.)/g, '$1')] : [];
  });
  const hide = redactor(values);
  const [only] = words;
  // Before words are quoted, which would change a secret's spelling; names tell of some, in the whole line.
  const all = words.map(hide).map((word) => (/^[\w@%+=:,./*-]+$/.test(word) ? word : JSON.stringify(word)));
  const text = hide(words.length === 1 ? (only ?? '') : all.join(' '));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
