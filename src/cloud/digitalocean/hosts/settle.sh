# shellcheck shell=bash
# Waits for cloud-init and ends with its exit code; says what it did where it failed.
command -v cloud-init >/dev/null || exit 0
cloud-init status --wait >/dev/null 2>&1
code=$?
[ "$code" = 0 ] || cloud-init status --long
exit "$code"
