# shellcheck shell=bash
# What a deployed version runs on, a line `NAME VERSION` each. Values: node (version; empty: none), runtime.
: "${node?}" "${runtime:?}"
[ -z "$node" ] || echo "node $node"
nginx -v 2>&1 | sed 's|.*/|nginx |'
[ "$runtime" != tomcat ] || java -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/java \1/p'
if command -v mariadb >/dev/null; then mariadb --version | sed 's/.*Distrib \([^,-]*\).*/mariadb \1/'; fi
# shellcheck source=/dev/null # of the host
. /etc/os-release
echo "$ID $VERSION_ID"
echo "linux $(uname -r)"
