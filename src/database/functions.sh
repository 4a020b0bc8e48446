# shellcheck shell=bash
# What every script about a database begins with; the engine's functions follow. Values: folder (what pipeline
# keeps about the database), user, unit. Lines that begin with `@@` are reports; run.ts reads them.
: "${folder:?}" "${user:?}" "${unit:?}"
set -u
say() { printf '@@ %s\n' "$*"; }
fail() {
  say "failed $*"
  exit 30
}
own() { [ "$(cat "$folder/made" 2>/dev/null)" = "$user" ]; }
keep() { # FILE: what comes on standard input, for root alone
  (
    umask 077
    mkdir -p "$folder" && cat >"$folder/$1.new" && sync "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"
  ) || fail "cannot write $folder/$1"
}
tried() { # WHAT COMMAND…: its last line where it fails
  local what=$1 said
  shift
  said=$("$@" 2>&1) || fail "$what: $(printf %s "$said" | tail -n 2 | tr '\n' ' ')"
}
