# shellcheck shell=bash
# Starts what stop-app.sh stopped, and waits until it is well. Prints `unwell` and what it says where that
# takes too long. Values: noted (file), condition (file), app, program (checks a colour), seconds.
: "${noted:?}" "${condition:?}" "${app:?}" "${program[*]:?}" "${seconds:?}"
set -u
[ -e "$noted" ] || exit 0
mapfile -t stopped <"$noted"
rm -f "$condition" || exit
rmdir "$(dirname "$condition")" 2>/dev/null || true
systemctl daemon-reload || exit
[ "${#stopped[@]}" -eq 0 ] || systemctl start "${stopped[@]}" || exit
rm -f "$noted"
web="^pipeline-$app@(blue|green)(-[0-9]+)?\\.service\$"
colours=$(printf '%s\n' "${stopped[@]}" | sed -nE "s/$web/\\1/p" | sort -u)
for colour in $colours; do
  end=$((SECONDS + seconds))
  until said=$("${program[@]}" check "$app" "$colour"); do
    [ $SECONDS -lt $end ] || { echo "unwell $colour: $said"; break; }
    sleep 0.3
  done
done
