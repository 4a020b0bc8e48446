# shellcheck shell=bash
# What a balancer knows: whether it has nginx, its addresses towards the hosts, its site. Values: sites
# (folder), app, hosts (names or addresses).
: "${sites:?}" "${app:?}"
command -v nginx >/dev/null && [ -d "$sites" ] && echo nginx
# shellcheck disable=SC2154 # a value
for name in "${hosts[@]}"; do
  address=$(getent ahosts "$name" | sed -n '1s/ .*//p')
  ip -o route get "${address:-$name}" | sed -n 's/.* src \([^ ]*\).*/address \1/p'
done
[ -e "$sites/$app.conf" ] && echo "site $(sha256sum <"$sites/$app.conf" | cut -d' ' -f1)"
[ -e "/etc/pipeline/apps/$app/rollout/order.json" ] && echo rollout
[ -e /proc/net/if_inet6 ] || echo 'lacks ipv6'
true
