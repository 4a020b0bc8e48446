# shellcheck shell=bash
# MongoDB (see engine.ts). Values: databases (folder), loopback, port, admin (pipeline's own user), name, and
# as JavaScript js_name, js_user, js_password, js_account (password and roles).
: "${databases:?}" "${loopback:?}" "${port:?}" "${admin:?}" "${name:?}"
: "${js_name:?}" "${js_user:?}" "${js_password:?}" "${js_account:?}"
admin_file=$databases/mongodb-admin
connection="connect('mongodb://$loopback:$port/admin')"
shell() ( # PROGRAM: prints what it prints
  umask 077
  file=$(mktemp --suffix=.js) && trap 'rm -f "$file"' EXIT && printf '%s\n' "$1" >"$file" &&
    mongosh --quiet --norc --nodb "$file" </dev/null
)
as_admin() { # PROGRAM: with `admin` and `db`
  local sign_in
  sign_in="admin.auth('$admin', '$(cat "$admin_file")')"
  shell "const admin = $connection; $sign_in; const db = admin.getSiblingDB($js_name); $1"
}
server_state() {
  command -v mongod >/dev/null || {
    echo absent
    return
  }
  local said
  if said=$(shell "$connection.hello()" 2>&1); then
    echo up
  else
    echo "down $(printf %s "$said" | tail -n 1)"
  fi
}
make_admin() {
  [ -s "$admin_file" ] && return
  local secret
  secret=$(head -c 24 /dev/urandom | base64 | tr -d '+/=\n')
  (
    umask 077
    mkdir -p "$databases" && printf %s "$secret" >"$admin_file.new"
  ) || fail 'cannot keep the password of the server'
  tried "cannot make pipeline's own user" \
    shell "$connection.createUser({ user: '$admin', pwd: '$secret', roles: ['root'] })"
  mv "$admin_file.new" "$admin_file"
}
user_there() {
  [ -s "$admin_file" ] && [ "$(as_admin "print(admin.getUser($js_user) !== null)" 2>/dev/null)" = true ]
}
current() { true; }
signs_in() { shell "$connection.auth($js_user, $js_password)" >/dev/null 2>&1; }
make_database() { :; }
make_user() {
  make_admin
  local create="admin.createUser({ user: $js_user, ...$js_account })"
  tried 'cannot make the user' \
    as_admin "if (admin.getUser($js_user) === null) $create; else admin.updateUser($js_user, $js_account);"
}
count() {
  [ -s "$admin_file" ] || {
    echo 0
    return
  }
  as_admin 'print(db.getCollectionNames().length)'
}
bytes() { as_admin 'print(Math.ceil(db.stats().storageSize))'; }
dump() ( # FILE
  umask 077
  file=$(mktemp) && trap 'rm -f "$file"' EXIT
  printf 'password: "%s"\n' "$(cat "$admin_file")" >"$file"
  mongodump --quiet --config="$file" --host="$loopback" --port="$port" --username="$admin" \
    --authenticationDatabase=admin --db="$name" --gzip --archive="$1"
)
restore() ( # FILE: into the empty database
  umask 077
  file=$(mktemp) && trap 'rm -f "$file"' EXIT
  printf 'password: "%s"\n' "$(cat "$admin_file")" >"$file"
  mongorestore --quiet --config="$file" --host="$loopback" --port="$port" --username="$admin" \
    --authenticationDatabase=admin --nsInclude="$name.*" --gzip --archive="$1"
)
clear_database() { tried 'cannot empty the database' as_admin 'db.dropDatabase()'; }
