# shellcheck shell=bash
# Refuses new connections to sites behind a balancer before nginx stops. Usage: door open|close. Values: sites
# (folder), balanced (the line that marks such a site).
: "${sites:?}" "${balanced:?}"
case $1 in
  open) nft delete table inet pipeline_door 2>/dev/null || true ;;
  close)
    mapfile -t files < <(grep -ls "^ *$balanced\$" "$sites"/*.conf)
    listen='s/^ *listen \(\[::\]:\)\{0,1\}\([0-9]\{1,\}\).*/\2/p'
    ports=$(sed -n "$listen" /dev/null "${files[@]}" | sort -u | paste -sd,)
    [ -n "$ports" ] || exit 0
    nft -f - <<END && sleep 0.3
table inet pipeline_door {
  set ports {
    type inet_service
    flags timeout
    timeout 15s
    elements = { $ports }
  }
  chain input {
    type filter hook input priority -10; policy accept;
    tcp flags & (syn | ack) == syn tcp dport @ports reject with tcp reset
  }
}
END
    ;;
esac
