/**
 * FerretDB 1 as bash functions (see engine.ts). It knows users but no rights, so every database has a server of its own, whose only user is the
 * application's: it is made when the server starts and finds none (`--setup-*`, with the new sign-in switched on). Pure.
 */
import { FERRETDB_DATA, FERRETDB_PROGRAMS, FERRETDB_USER } from '../roles/ferretdb.ts';
import { quote } from '../ssh/quote.ts';
import { LOOPBACK, type ScriptInput } from './servers.ts';

/** Value of an EnvironmentFile, which bash reads alike. */
function value(text: string): string {
  return `"${text.replaceAll(/[\\"$`]/g, '\\$&')}"`;
}

/** What the server is started with. Drivers look for users in `admin` (authSource). */
function ferretdbEnvironment({ database, password }: ScriptInput): string {
  const data = `${FERRETDB_DATA}/${database.app}.${database.key}`;
  const settings: Readonly<Record<string, string>> = {
    HANDLER: 'sqlite',
    SQLITE_URL: `file:${data}/`,
    STATE_DIR: data,
    LISTEN_ADDR: `${LOOPBACK}:${database.port}`,
    DEBUG_ADDR: '-',
    TELEMETRY: 'disable',
    LOG_LEVEL: 'error',
    TEST_ENABLE_NEW_AUTH: 'true',
    SETUP_DATABASE: 'admin',
    SETUP_USERNAME: database.user,
    SETUP_PASSWORD: password,
    SETUP_TIMEOUT: '10s',
  };
  return Object.entries(settings)
    .map(([name, text]) => `FERRETDB_${name}=${value(text)}\n`)
    .join('');
}

export function ferretdb(input: ScriptInput): string {
  const { app, key, definition, port } = input.database;
  const link = `${FERRETDB_PROGRAMS}/${app}.${key}`;
  const env = quote(ferretdbEnvironment(input));
  return `data=${quote(`${FERRETDB_DATA}/${app}.${key}`)} link=${quote(link)} port=${port} name=${definition.name}
as_ferretdb() { setpriv --reuid=${FERRETDB_USER} --regid=${FERRETDB_USER} --clear-groups "$@"; }
server_state() {
  [ -x "$link" ] && [ -e "$folder/ready" ] || { echo absent; return; }
  if systemctl --quiet is-active "$unit" && [ -n "$(ss -Hltn "sport = :$port")" ]; then echo up; return; fi
  echo "down $(systemctl show --value -p ActiveState,Result "$unit" | paste -sd ' '): $(journalctl --unit "$unit" --output cat --no-pager --quiet --lines 1 _TRANSPORT=stdout 2>/dev/null)"
}
user_there() { [ -e "$folder/ready" ]; }
current() {
  printf %s ${env} | cmp -s - "$folder/env" && systemctl --quiet is-enabled "$unit" || return 1
  ${input.program === undefined ? 'true' : `[ "$(readlink "$link")" = ${quote(`programs/${input.program}`)} ]`}
}
signs_in() (
  set -a
  eval ${env}
  cd / && as_ferretdb timeout 15 "$link" ping >/dev/null 2>&1
)
make_database() { :; }
make_user() {
  local tries
  rm -f "$folder/ready"
  printf %s ${env} | keep env || exit
  ${input.program === undefined ? ':' : `ln -sfn ${quote(`programs/${input.program}`)} "$link.new" && mv -fT "$link.new" "$link" || fail "cannot write $link"`}
  systemctl stop --quiet "$unit"
  [ -z "$(ss -Hltn "sport = :$port")" ] || fail "port $port is taken by another program ($(ss -Hltnp "sport = :$port" | sed -n 's/.*users:((\\(.*\\)))$/\\1/p' | head -n 1)): give the database another port"
  # It holds users alone, and none of an earlier password may stay.
  rm -f "$data"/admin.sqlite*
  systemctl enable --quiet "$unit" && systemctl reset-failed --quiet "$unit" 2>/dev/null
  systemctl start "$unit" || fail "it cannot be started: $(journalctl --unit "$unit" --output cat --no-pager --quiet --lines 2 | tr '\\n' ' ')"
  for tries in {1..60}; do
    signs_in && { echo yes | keep ready || exit; return 0; }
    systemctl --quiet is-active "$unit" || [ "$tries" -lt 5 ] || break
    sleep 0.25
  done
  fail "it does not let the application sign in: $(journalctl --unit "$unit" --output cat --no-pager --quiet --lines 3 | tr '\\n' ' ')"
}
count() {
  [ -e "$data/$name.sqlite" ] || { echo 0; return; }
  as_ferretdb sqlite3 -readonly "$data/$name.sqlite" 'SELECT COUNT(*) FROM _ferretdb_collections' 2>/dev/null || echo 0
}
bytes() { du -sb "$data" 2>/dev/null | cut -f1 || echo 0; }
dump() { # FILE: copies that are whole even while the server writes
  local copy=$data/.backup file
  rm -rf "$copy" && as_ferretdb mkdir -m 700 "$copy" || return
  for file in "$data"/*.sqlite; do
    [ "$(basename "$file")" != admin.sqlite ] || continue
    as_ferretdb sqlite3 "$file" ".timeout 10000" ".backup '$copy/$(basename "$file")'" || { rm -rf "$copy"; return 1; }
  done
  tar -czf "$1" --owner=${FERRETDB_USER} --group=${FERRETDB_USER} -C "$copy" .
  local code=$?
  rm -rf "$copy"
  return $code
}
clear_database() {
  systemctl stop --quiet "$unit"
  rm -f "$data/$name.sqlite"*
  systemctl start "$unit" || fail 'it cannot be started again'
}`;
}
