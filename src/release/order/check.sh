# shellcheck shell=bash
# Checks a process of this release. Usage: check ADDRESS:PORT. Prints the answer; exit 0: healthy, 1: not, 2:
# nothing answers. Values: asked (e.g. `GET /`), path, request (curl's options), seconds, wanted (for people),
# accepted (codes; none: all below 500), contains (text of the body; empty: any).
# shellcheck disable=SC2154 # the values stand in a header
answer=$(curl --silent --show-error --noproxy '*' --max-time "$seconds" --write-out '\n%{http_code}' \
  "${request[@]}" "http://$1$path" 2>&1)
code=$?
status=${answer##*$'\n'} body=${answer%$'\n'*}
case $code in
  0) ;;
  7) echo "$asked → nothing answers on $1"; exit 2 ;;
  28) echo "$asked → no answer within $seconds s on $1"; exit 1 ;;
  *) echo "$asked → ${body##*curl: }"; exit 1 ;;
esac
good=0
for one in "${accepted[@]}"; do [ "$status" != "$one" ] || good=1; done
[ ${#accepted[@]} -gt 0 ] || [ "$status" -ge 500 ] || good=1
[ $good = 1 ] || { echo "$asked → $status, wanted $wanted"; exit 1; }
if [[ -n $contains && $body != *"$contains"* ]]; then
  echo "$asked → $status, but the body lacks $shown"
  exit 1
fi
echo "$asked → $status"
