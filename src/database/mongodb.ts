/**
 * MongoDB as bash functions (see engine.ts). The first user is made through the server's localhost exception, is pipeline's own, and makes those of
 * the applications. Programs for its shell lie in a file for root alone while they run. Pure.
 */
import { DATABASES } from '../roles/ferretdb.ts';
import { quote } from '../ssh/quote.ts';
import { LOOPBACK, type ScriptInput } from './servers.ts';

const ADMIN = 'pipeline';

export function mongodb({ database, password }: ScriptInput): string {
  const { user, port, definition } = database;
  const js = (value: unknown) => JSON.stringify(value);
  const roles = [
    { role: 'readWrite', db: definition.name },
    { role: 'dbAdmin', db: definition.name },
  ];
  const account = { pwd: password, roles };
  return `admin_file=${DATABASES}/mongodb-admin port=${port}
shell() ( # PROGRAM: prints what it prints
  umask 077
  file=$(mktemp --suffix=.js) && trap 'rm -f "$file"' EXIT && printf '%s\\n' "$1" >"$file" && mongosh --quiet --norc --nodb "$file" </dev/null
)
as_admin() { # PROGRAM: with \`admin\` and \`db\`
  shell "const admin = connect('mongodb://${LOOPBACK}:$port/admin'); admin.auth(${ADMIN_NAME}, '$(cat "$admin_file")'); const db = admin.getSiblingDB(${js(definition.name).replaceAll('"', "'")}); $1"
}
server_state() {
  command -v mongod >/dev/null || { echo absent; return; }
  local said
  if said=$(shell "connect('mongodb://${LOOPBACK}:$port/admin').hello()" 2>&1); then echo up; else echo "down $(printf %s "$said" | tail -n 1)"; fi
}
make_admin() {
  [ -s "$admin_file" ] && return
  local secret
  secret=$(head -c 24 /dev/urandom | base64 | tr -d '+/=\\n')
  (umask 077; mkdir -p ${DATABASES} && printf %s "$secret" >"$admin_file.new") || fail 'cannot keep the password of the server'
  tried "cannot make pipeline's own user" shell "connect('mongodb://${LOOPBACK}:$port/admin').createUser({ user: ${ADMIN_NAME}, pwd: '$secret', roles: ['root'] })"
  mv "$admin_file.new" "$admin_file"
}
user_there() { [ -s "$admin_file" ] && [ "$(as_admin ${quote(`print(admin.getUser(${js(user)}) !== null)`)} 2>/dev/null)" = true ]; }
current() { true; }
signs_in() { shell ${quote(`connect('mongodb://${LOOPBACK}:${port}/admin').auth(${js(user)}, ${js(password)})`)} >/dev/null 2>&1; }
make_database() { :; }
make_user() {
  make_admin
  tried 'cannot make the user' as_admin ${quote(`if (admin.getUser(${js(user)}) === null) admin.createUser({ user: ${js(user)}, ...${js(account)} }); else admin.updateUser(${js(user)}, ${js(account)});`)}
}
count() { [ -s "$admin_file" ] || { echo 0; return; }; as_admin 'print(db.getCollectionNames().length)'; }
bytes() { as_admin 'print(Math.ceil(db.stats().storageSize))'; }
dump() ( # FILE
  umask 077
  file=$(mktemp) && trap 'rm -f "$file"' EXIT
  printf 'password: "%s"\\n' "$(cat "$admin_file")" >"$file"
  mongodump --quiet --config="$file" --host=${LOOPBACK} --port=$port --username=${ADMIN} --authenticationDatabase=admin --db=${definition.name} --gzip --archive="$1"
)
clear_database() { tried 'cannot empty the database' as_admin 'db.dropDatabase()'; }`;
}

const ADMIN_NAME = `'${ADMIN}'`;
