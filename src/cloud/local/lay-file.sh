# shellcheck shell=sh
# Lays a file anew from standard input. Usage: lay-file PATH MODE
set -eu
umask 077
# shellcheck disable=SC2174 # the folders above it stand on every host
mkdir -p -m 755 "$(dirname "$1")"
cat >"$1.new"
chmod "$2" "$1.new"
mv "$1.new" "$1"
