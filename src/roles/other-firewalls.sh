# shellcheck shell=bash
# Prints the firewalls of other programs that are in force.
if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then echo ufw; fi
if command -v firewall-cmd >/dev/null && firewall-cmd --quiet --state 2>/dev/null; then echo firewalld; fi
exit 0
