# shellcheck shell=bash
# Prints as whom nginx works today, where that changes. Values: configuration, user.
: "${configuration:?}" "${user:?}"
[[ -e $configuration ]] || exit 0
if grep -q 'Made by pipeline' "$configuration"; then exit 0; fi
now=$(sed -n 's/^ *user  *\([^ ;]*\).*/\1/p' "$configuration" | head -n 1)
[[ -z $now || $now = "$user" ]] || echo "$now"
exit 0
