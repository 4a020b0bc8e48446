# shellcheck shell=bash
# FerretDB 1 (see engine.ts): a server for each database. Values: account (that it runs as), data (folder),
# link (to the program), port, name, settings (text of its EnvironmentFile), program (hash; empty: any).
: "${folder:?}" "${unit:?}" "${account:?}" "${data:?}" "${link:?}" "${port:?}" "${name:?}" "${settings:?}"
: "${program?}"
as_ferretdb() { setpriv --reuid="$account" --regid="$account" --clear-groups "$@"; }
listening() { ss -Hltnp "sport = :$port"; }
journal() { journalctl --unit "$unit" --output cat --no-pager --quiet --lines "$@"; }
server_state() {
  if [ ! -x "$link" ] || [ ! -e "$folder/ready" ]; then
    echo absent
    return
  fi
  if systemctl --quiet is-active "$unit" && [ -n "$(listening)" ]; then
    echo up
    return
  fi
  local state
  state=$(systemctl show --value -p ActiveState,Result "$unit" | paste -sd ' ')
  echo "down $state: $(journal 1 _TRANSPORT=stdout 2>/dev/null)"
}
user_there() { [ -e "$folder/ready" ]; }
current() {
  printf %s "$settings" | cmp -s - "$folder/env" && systemctl --quiet is-enabled "$unit" || return 1
  [ -z "$program" ] || [ "$(readlink "$link")" = "programs/$program" ]
}
signs_in() (
  set -a
  eval "$settings"
  cd / && as_ferretdb timeout 15 "$link" ping >/dev/null 2>&1
)
make_database() { :; }
point_at_program() { ln -sfn "programs/$program" "$link.new" && mv -fT "$link.new" "$link"; }
make_user() {
  local tries other
  rm -f "$folder/ready"
  printf %s "$settings" | keep env || exit
  [ -z "$program" ] || point_at_program || fail "cannot write $link"
  systemctl stop --quiet "$unit"
  other=$(listening | sed -n 's/.*users:((\(.*\)))$/\1/p' | head -n 1)
  [ -z "$(listening)" ] ||
    fail "port $port is taken by another program ($other): give the database another port"
  # It holds users alone, and none of an earlier password may stay.
  rm -f "$data"/admin.sqlite*
  systemctl enable --quiet "$unit" && systemctl reset-failed --quiet "$unit" 2>/dev/null
  systemctl start "$unit" || fail "it cannot be started: $(journal 2 | tr '\n' ' ')"
  for tries in {1..60}; do
    signs_in && {
      echo yes | keep ready || exit
      return 0
    }
    systemctl --quiet is-active "$unit" || [ "$tries" -lt 5 ] || break
    sleep 0.25
  done
  fail "it does not let the application sign in: $(journal 3 | tr '\n' ' ')"
}
count() {
  [ -e "$data/$name.sqlite" ] || {
    echo 0
    return
  }
  local collections='SELECT COUNT(*) FROM _ferretdb_collections'
  as_ferretdb sqlite3 -readonly "$data/$name.sqlite" "$collections" 2>/dev/null || echo 0
}
bytes() { du -sb "$data" 2>/dev/null | cut -f1 || echo 0; }
dump() { # FILE: copies that are whole even while the server writes
  local copy=$data/.backup file
  rm -rf "$copy" && as_ferretdb mkdir -m 700 "$copy" || return
  for file in "$data"/*.sqlite; do
    [ "$(basename "$file")" != admin.sqlite ] || continue
    as_ferretdb sqlite3 "$file" ".timeout 10000" ".backup '$copy/$(basename "$file")'" || {
      rm -rf "$copy"
      return 1
    }
  done
  tar -czf "$1" --owner="$account" --group="$account" -C "$copy" .
  local code=$?
  rm -rf "$copy"
  return $code
}
restore() { # FILE: into the empty database
  systemctl stop --quiet "$unit"
  tar -xzf "$1" -C "$data" && systemctl start "$unit"
}
clear_database() {
  systemctl stop --quiet "$unit"
  rm -f "$data/$name.sqlite"*
  systemctl start "$unit" || fail 'it cannot be started again'
}
