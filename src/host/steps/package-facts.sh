# shellcheck shell=bash
# Which packages are there, and whether an installation was interrupted. Nothing is changed. Values: names,
# policy_file, policy_marker.
: "${policy_file:?}" "${policy_marker:?}"
declare -a names
if ((${#names[@]})); then
  # shellcheck disable=SC2016 # dpkg's names
  dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\n' "${names[@]}" 2>/dev/null
fi
[[ -n $(compgen -G '/var/lib/dpkg/updates/[0-9]*') ]] && echo interrupted
half_done='^Status: [a-z]+ [a-z]+ (unpacked|half-configured|half-installed|triggers-)'
grep -Eqm1 "$half_done" /var/lib/dpkg/status && echo interrupted
[[ -e $policy_file ]] && grep -qF "$policy_marker" "$policy_file" && echo interrupted
