#!/bin/bash
# Made by pipeline: the network of one instance. Usage: network up|down, with NAMESPACE, LINK, GATEWAY and
# ADDRESS in the environment.
set -eu
down() {
  ip link delete "$LINK" 2>/dev/null || true
  ip netns delete "$NAMESPACE" 2>/dev/null || true
}
# Where the host reaches others by IPv6 alone: the same network, embedded in a range of our own.
way_by_ipv6() {
  local prefix=fd70:6970:656c accepts
  ip address add "$prefix::$GATEWAY/126" dev "$LINK" nodad
  ip -n "$NAMESPACE" address add "$prefix::$ADDRESS/126" dev eth0 nodad
  ip -n "$NAMESPACE" route add default via "$prefix::$GATEWAY"
  # A kernel that forwards listens to routers only where this says so; the host would lose its default route.
  for accepts in /proc/sys/net/ipv6/conf/*/accept_ra; do
    [ "$(cat "$accepts")" != 1 ] || echo 2 >"$accepts"
  done
  [ "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" = 1 ] || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}
case $1 in
  up)
    down
    ip netns add "$NAMESPACE"
    ip link add "$LINK" type veth peer name eth0 netns "$NAMESPACE"
    ip address add "$GATEWAY/30" dev "$LINK"
    ip link set "$LINK" up
    ip -n "$NAMESPACE" link set lo up
    ip -n "$NAMESPACE" address add "$ADDRESS/30" dev eth0
    ip -n "$NAMESPACE" link set eth0 up
    ip -n "$NAMESPACE" route add default via "$GATEWAY"
    [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
    if [ -z "$(ip -4 route show default)" ] && [ -n "$(ip -6 route show default)" ]; then way_by_ipv6; fi
    mkdir -p /run/pipeline/networks
    # A resolver on the host's loopback address is not reachable from here.
    resolvers=/etc/resolv.conf
    outside=/run/systemd/resolve/resolv.conf
    if grep -qs '^nameserver 127\.' /etc/resolv.conf && [ -e $outside ]; then resolvers=$outside; fi
    cp -L "$resolvers" "/run/pipeline/networks/$NAMESPACE.resolv.conf" 2>/dev/null || true
    ;;
  down) down ;;
esac
