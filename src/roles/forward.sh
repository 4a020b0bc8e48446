#!/bin/bash
# Made by pipeline: lets instances that have a network of their own reach others. No rule of nftables can undo
# what Docker, ufw or firewalld drops. What begins outside stays out, as the rules of pipeline say.
set -u
links=pln+
# Usage: admit iptables|ip6tables
admit() {
  local tables=$1 rules chain=''
  command -v "$tables" >/dev/null || return 0
  rules=$("$tables" -w -S) || return
  # Docker's chain for users comes first, and Docker leaves it alone.
  if grep -qx -- '-N DOCKER-USER' <<<"$rules"; then
    chain=DOCKER-USER
  elif grep -qxE -- '-P FORWARD (DROP|REJECT)' <<<"$rules"; then
    chain=FORWARD
  fi
  [ -n "$chain" ] || return 0
  accept() {
    "$tables" -w -C "$chain" "$@" -j ACCEPT 2>/dev/null || "$tables" -w -I "$chain" "$@" -j ACCEPT
  }
  accept -i "$links" && accept -o "$links" -m conntrack --ctstate RELATED,ESTABLISHED
}
admit iptables || exit
# A kernel without IPv6 has no such tables.
if [ -e /proc/net/if_inet6 ]; then admit ip6tables || exit; fi
if command -v firewall-cmd >/dev/null && firewall-cmd --quiet --state; then
  firewall-cmd --quiet --zone=trusted --change-interface="$links"
fi
