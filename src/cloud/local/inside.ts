/** Changes files inside a running host from this machine, without SSH: the way in may be what is lost. */
import { readFile } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { authorizedKeysText } from './disk.ts';
import { allMembers } from './groups.ts';
import { type HandedFile, HOSTS_FILE } from './handed.ts';
import layFile from './lay-file.sh' with { type: 'text' };
import { hostGroups, type MachineFacts } from './machine.ts';
import replaceLines from './replace-keys.sh' with { type: 'text' };
import { mustRun } from './run.ts';
import type { Fleet } from './running.ts';
import type { HostLayout } from './settings.ts';

/** Replaces keys of ours in root's authorized_keys; keys that others added stay. */
export async function replaceKeys(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  keys: { readonly before: readonly string[]; readonly after: readonly string[] },
): Promise<void> {
  const patterns = [...new Set([...keys.before, ...keys.after])].flatMap((key) => ['-e', key]);
  await runInside(context, fleet, layout, {
    step: 'sign-in keys',
    script: replaceLines,
    args: patterns,
    input: authorizedKeysText(keys.after),
  });
}

/** Lays files anew; `/etc/hosts` stays, which is the host's own once it was made. */
export async function layInside(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  files: readonly HandedFile[],
): Promise<void> {
  for (const { path, mode, content } of files.filter((file) => file.path !== HOSTS_FILE)) {
    const args = [path, mode.toString(8)];
    await runInside(context, fleet, layout, { step: path, script: layFile, args, input: content });
  }
}

interface Inside {
  readonly step: string;
  /** For `sh`, with `args` as its positional parameters and `input` on its standard input. */
  readonly script: string;
  readonly args: readonly string[];
  readonly input: string;
}

async function runInside(context: Context, fleet: Fleet, layout: HostLayout, inside: Inside): Promise<void> {
  const pid = await initOf(fleet.facts, layout);
  const enter = [`--target=${pid}`, '--mount', '--root', '--wd=/'];
  await mustRun(
    context,
    `${inside.step} of ${layout.name}`,
    'nsenter',
    [...enter, 'sh', '-c', inside.script, 'sh', ...inside.args],
    { input: inside.input, lock: fleet.lock },
  );
}

/** Process id (seen from here) of the host's own process 1. */
async function initOf(facts: MachineFacts, layout: HostLayout): Promise<number> {
  for (const pid of await allMembers(hostGroups(facts, layout))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:.*\t1$/m.test(status)) return pid;
  }
  throw new Failure('host', `${layout.name} does not run.`, {
    host: layout.name,
    next: 'Run `pipeline prod up`, which starts it.',
  });
}
