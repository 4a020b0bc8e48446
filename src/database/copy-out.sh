# shellcheck shell=bash
# Prints the database as a backup. Nothing but that may go to standard output.
file=$(umask 077 && mktemp) || exit
trap 'rm -f "$file"' EXIT
dump "$file" >&2 || fail 'it cannot be copied' >&2
cat "$file"
