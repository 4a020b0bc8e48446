# shellcheck shell=bash
# Prints what other hosts reach today and the new firewall would keep from them, a line each: `5432/tcp
# (postgres)`. Nothing once the firewall is there. Values: tcp and udp, ports that stay open to anyone; some,
# ports that stay open to some hosts only; ssh, ports that operators reach.
# shellcheck disable=SC2154 # the header sets them
if nft list table inet pipeline >/dev/null 2>&1; then exit 0; fi
if ! command -v ss >/dev/null; then
  echo 'any port (they cannot be listed: the package iproute2 is missing)'
  exit 0
fi
among() { # WORD LIST...
  local word=$1 one
  shift
  for one in "$@"; do [[ $one != "$word" ]] || return 0; done
  return 1
}
is_own() { # ADDRESS: nobody else reaches it
  case $1 in 127.* | '[::1]' | '::1' | '[::ffff:127.'*) return 0 ;; esac
  return 1
}
# PROTOCOL PORT PROGRAM: answers come back in spite of the firewall, or it concerns the next cable only.
is_harmless() {
  [[ $1 = udp ]] || return 1
  case $2 in 68 | 546 | 5353 | 5355) return 0 ;; 123) [[ $3 = ntp* ]] && return 0 ;; esac
  # A port above these is a client's, unless the kernel itself holds it (WireGuard).
  [[ $2 -ge 32768 && -n $3 ]]
}
# What Docker passes on goes by another way, except for what comes by IPv6.
by_docker() { # ADDRESS PROGRAM
  [[ $2 = docker-proxy ]] || return 1
  [[ $1 != *:* ]] || [[ -z $(ip -6 address show scope global 2>/dev/null) ]]
}
ss -Hltunp | while read -r protocol _ _ _ local _ users; do
  address=${local%:*} port=${local##*:} program=''
  address=${address%%%*}
  [[ $users =~ \(\(\"([^\"]+)\" ]] && program=${BASH_REMATCH[1]}
  if is_own "$address" || is_harmless "$protocol" "$port" "$program" || by_docker "$address" "$program"; then
    continue
  fi
  what="$port/$protocol${program:+ ($program)}"
  if [[ $protocol = tcp ]] && among "$port" "${tcp[@]}" "${ssh[@]}"; then continue; fi
  if [[ $protocol = udp ]] && among "$port" "${udp[@]}"; then continue; fi
  if among "$port/$protocol" "${some[@]}"; then what+=', for all but the hosts of this environment'; fi
  echo "$what"
done | sort -nu
# Protocols beside TCP and UDP, e.g. VRRP; not ICMP.
ss -Hlwnp | while read -r _ _ _ local _ users; do
  protocol=${local##*:} program=''
  [[ $users =~ \(\(\"([^\"]+)\" ]] && program=${BASH_REMATCH[1]}
  case $protocol in 1 | 58 | icmp | ipv6-icmp) ;; *) echo "protocol $protocol${program:+ ($program)}" ;; esac
done | sort -u
exit 0
