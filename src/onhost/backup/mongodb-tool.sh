# shellcheck shell=bash
# Runs one of MongoDB's tools with the password in a file for root alone while it runs. Arguments: the file
# with the password, the tool, and its arguments.
set -euo pipefail
umask 077
secret=$1 tool=$2
shift 2
file=$(mktemp)
trap 'rm -f "$file"' EXIT
printf 'password: "%s"\n' "$(cat "$secret")" >"$file"
"$tool" --config="$file" "$@"
