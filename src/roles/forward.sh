#!/bin/bash
# Made by pipeline: lets instances that have a network of their own reach others. No rule of nftables can undo
# what Docker, ufw or firewalld drops. What begins outside stays out, as the rules of pipeline say.
set -u
links=pln+
if command -v iptables >/dev/null; then
  rules=$(iptables -w -S) || exit
  chain=''
  # Docker's chain for users comes first, and Docker leaves it alone.
  if grep -qx -- '-N DOCKER-USER' <<<"$rules"; then
    chain=DOCKER-USER
  elif grep -qxE -- '-P FORWARD (DROP|REJECT)' <<<"$rules"; then
    chain=FORWARD
  fi
  if [ -n "$chain" ]; then
    admit() { iptables -w -C "$chain" "$@" -j ACCEPT 2>/dev/null || iptables -w -I "$chain" "$@" -j ACCEPT; }
    admit -i "$links" || exit
    admit -o "$links" -m conntrack --ctstate RELATED,ESTABLISHED || exit
  fi
fi
if command -v firewall-cmd >/dev/null && firewall-cmd --quiet --state; then
  firewall-cmd --quiet --zone=trusted --change-interface="$links"
fi
