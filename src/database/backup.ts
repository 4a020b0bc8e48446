/** Keeps a database aside on its host before a new version touches it. */
import type { Context } from '../context.ts';
import { quote } from '../ssh/quote.ts';
import { BACKUP_SUFFIX, preamble } from './engine.ts';
import { BACKUPS } from './look.ts';
import { runOnDatabaseHost } from './run.ts';
import type { ScriptInput } from './servers.ts';

export interface Backup {
  readonly path: string;
  /** Compressed. */
  readonly bytes: number;
}

/** What must stay free besides the backup itself. */
const SPARE = 64 * 1024 ** 2;
const LIMIT_MS = 2 * 60 * 60_000;

/** For root alone; under a name of its own until it is whole; the newest stay. */
function backupScript(input: ScriptInput, name: string): string {
  const { app, key, definition } = input.database;
  const folder = `${BACKUPS}/${app}/${key}`;
  const path = `${folder}/${name}.${BACKUP_SUFFIX[definition.engine]}`;
  return `${preamble(input)}
umask 077
mkdir -p ${quote(folder)} && chmod 700 ${BACKUPS} ${quote(`${BACKUPS}/${app}`)} || fail 'cannot make the folder ${folder}'
rm -f ${quote(folder)}/*.new
needed=$(bytes) free=$(df -B1 --output=avail ${quote(folder)} | tail -n 1 | tr -d ' ')
[ "$free" -gt $((needed + ${SPARE})) ] || fail "no room: it has $((needed / 1000000)) MB, and $((free / 1000000)) MB are free in ${folder}"
if ! said=$( (dump ${quote(`${path}.new`)}) 2>&1); then
  rm -f ${quote(`${path}.new`)}
  fail "$(printf %s "$said" | tail -n 2 | tr '\\n' ' ') ($(df -h --output=avail ${quote(folder)} | tail -n 1 | tr -d ' ') free)"
fi
sync ${quote(`${path}.new`)} && mv ${quote(`${path}.new`)} ${quote(path)} || fail 'cannot write ${path}'
ls -1t ${quote(folder)} | tail -n +${definition.backups + 1} | while IFS= read -r old; do rm -f ${quote(folder)}/"$old"; done
echo "bytes $(stat -c %s ${quote(path)})"
echo "path ${path}"`;
}

/** @throws Failure kind `host`, before anything was changed */
export async function backUp(input: ScriptInput, name: string, context: Context): Promise<Backup> {
  const run = {
    script: backupScript(input, name),
    secrets: [input.password],
    timeoutMs: LIMIT_MS,
    doing: 'the backup',
    next: `Nothing was changed. Make room on the host, or turn backups off with databases.${input.database.key}.backups: 0, and deploy again.`,
  };
  const lines = await runOnDatabaseHost(input.database, run, context);
  const find = (key: string) => lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  return { path: find('path'), bytes: Number(find('bytes')) };
}
