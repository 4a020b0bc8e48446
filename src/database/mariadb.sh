# shellcheck shell=bash
# MariaDB (see engine.ts): root comes in over the Unix socket, statements come on standard input. Values:
# name, loopback, port, password, places (that the user comes from, with commas), and as SQL find_places,
# create, make_accounts, drop_accounts (prints statements), count_tables, sum_bytes, drop.
: "${user:?}" "${name:?}" "${loopback:?}" "${port:?}" "${password?}" "${places:?}" "${find_places:?}"
: "${create:?}" "${make_accounts:?}" "${drop_accounts:?}" "${count_tables:?}" "${sum_bytes:?}" "${drop:?}"
sql() { printf '%s\n' "$1" | mariadb --batch --skip-column-names; }
server_state() {
  local said
  command -v mariadbd >/dev/null || command -v mysqld >/dev/null || {
    echo absent
    return
  }
  if said=$(sql 'SELECT 1' 2>&1); then echo up; else echo "down $(printf %s "$said" | tail -n 1)"; fi
}
user_there() { [ "$(sql "$find_places")" != NULL ]; }
current() { [ "$(sql "$find_places")" = "$places" ]; }
as_user() { # OPTION…: signed in as the application
  MYSQL_PWD=$password mariadb --protocol=tcp --host="$loopback" --port="$port" --user="$user" "$@"
}
signs_in() { as_user --batch -e 'SELECT 1' </dev/null >/dev/null 2>&1; }
make_database() { tried 'cannot make the database' sql "$create"; }
make_user() {
  tried 'cannot make the user' sql "$make_accounts"
  sql "$drop_accounts" | while IFS= read -r statement; do
    tried 'cannot remove the user' sql "$statement"
  done || exit
}
count() { sql "$count_tables"; }
bytes() { sql "$sum_bytes"; }
dump() { # FILE
  set -o pipefail
  mariadb-dump --single-transaction --quick --routines --triggers --events --hex-blob "$name" | gzip -3 >"$1"
}
restore() { # FILE: into the empty database
  set -o pipefail
  gzip -dc "$1" | mariadb "$name"
}
clear_database() {
  tried 'cannot empty the database' sql "$drop"
  make_database
}
