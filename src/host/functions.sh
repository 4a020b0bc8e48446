# shellcheck shell=bash
# What the steps of a host's script use. confirm_seconds is set before the script. The header sets these:
: "${report_mark:?}" "${refused:?}" "${cut_off:?}" "${policy_file:?}" "${policy_marker:?}"
: "${lock_seconds:?}" "${confirm_seconds:?}" "${log:?}" "${written:?}" "${theirs_folder:?}"

report() { printf '%s%s\n' "$report_mark" "$*"; }
step() {
  report start "$1" "$2" || exit
  ( set -e; "step$1" ) 9>&- 2>&1 | tee -pa "$log"
  local code=${PIPESTATUS[0]}
  if ((code)); then
    local -a disk
    read -ra disk < <(df -B1 --output=avail,size / /var /tmp /var/cache/apt/archives 2>/dev/null |
      tail -n +2 | sort -n | head -n 1)
    report failed "$1" "$2" "$code" "${disk[@]}"
    exit 0
  fi
  report 'done' "$1" "$2" || exit
}
stamp() {
  printf %s "$2" >"$1.new"
  mv -fT "$1.new" "$1"
}
wrote() { # before the file is in place: a run that is killed must not take its own file for somebody else's
  grep -qsxF -- "$1" "$written" || printf '%s\n' "$1" >>"$written"
}
keep_theirs() { # what somebody else wrote, before it is replaced
  local copy=$theirs_folder$1
  mkdir -p "${copy%/*}"
  chmod 700 "$theirs_folder"
  cp -a --backup=numbered -T -- "$1" "$copy"
  sync -f "$copy"
}
validated() {
  local message
  message=$(eval "$1" 2>&1) && return
  printf '%s\n' "$message"
  return "$refused"
}
unit() {
  local code=0 since=${EPOCHREALTIME/,/.}
  systemctl "$1" "$2" || code=$?
  ((code)) || return 0
  # By time: what a process said that ended at once may lack the mark of its run.
  journalctl --sync 2>/dev/null || true
  journalctl --quiet --no-pager --output=cat --lines=12 --unit="$2" --since="@$since" || true
  return "$code"
}
tell_systemd() { # of what was enabled without a reload, where it keeps that in mind
  [[ $(systemctl show --property=NeedDaemonReload --value init.scope) != yes ]] || systemctl daemon-reload
}
hold() {
  printf '%s\n' "$@" >/run/pipeline/held
  if [[ ! -e $policy_file ]] || grep -qF "$policy_marker" "$policy_file"; then
    {
      printf '#!/bin/sh\n# %s: ' "$policy_marker"
      cat <<'POLICY'
these services start after their configuration is there.
# Removed when the packages are installed.
for unit in "$1" "$1.service"; do
  if grep -qxF -- "$unit" /run/pipeline/held 2>/dev/null && ! systemctl --quiet is-active "$unit"; then
    exit 101
  fi
done
exit 0
POLICY
    } >"$policy_file"
    chmod 755 "$policy_file"
    trap release EXIT
  fi
}
release() {
  if grep -qsF "$policy_marker" "$policy_file"; then rm -f "$policy_file"; fi
  rm -f /run/pipeline/held
}
apt() {
  apt-get -q -y -o DPkg::Lock::Timeout="$lock_seconds" -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \
    -o Dpkg::Options::=--force-confold "$@"
}
lists=/var/lib/apt/lists
update() {
  local tries
  for ((tries = 0; tries < lock_seconds; tries++)); do
    apt update >/run/pipeline/update 2>&1 && { touch /var/lib/pipeline/apt-updated; return; }
    grep -q 'Could not get lock' /run/pipeline/update || break
    sleep 1
  done
  cat /run/pipeline/update
  return 1
}
current() {
  compgen -G "$lists/*Packages*" >/dev/null || return
  local newest=$lists
  for file in $lists/partial /var/lib/apt/periodic/update-success-stamp /var/lib/pipeline/apt-updated; do
    [[ $file -nt $newest ]] && newest=$file
  done
  local sources=(/etc/apt/sources.list /etc/apt/sources.list.d)
  [[ -z $(find "$newest" -maxdepth 0 -mmin +1440) ]] &&
    [[ -z $(find "${sources[@]}" -newer "$newest" -name '*.[ls]*' 2>/dev/null) ]]
}
packages() {
  local options=() updated=
  [[ $1 = -- ]] || options=("$1")
  shift
  current || { update; updated=1; }
  apt install --no-install-recommends "${options[@]}" -- "$@" && return
  local code=$?
  # What the lists name may be gone from the mirror, or too new for them.
  [[ -z $updated ]] || return $code
  grep -Eq 'Unable to (locate|fetch)|has no installation candidate|404 ' "$log" || return $code
  update
  apt install --no-install-recommends "${options[@]}" -- "$@"
}
repair_packages() {
  local tries
  release
  for ((tries = 0; tries < lock_seconds; tries++)); do
    dpkg --force-confdef --force-confold --configure -a >/run/pipeline/repair 2>&1 && break
    grep -q 'lock' /run/pipeline/repair || break
    sleep 1
  done
  cat /run/pipeline/repair
  apt install --no-remove --fix-broken
}
load_firewall() {
  local run=/run/pipeline/firewall-$1 result since never
  systemctl --quiet stop "pipeline-firewall-guard-$1" 2>/dev/null || true
  rm -rf "$run"
  mkdir -m 700 "$run"
  printf %s "$3" >"$run/new.nft"
  printf %s "$4" >"$run/guard"
  printf %s "$confirm_seconds" >"$run/seconds"
  nft -c -f "$run/new.nft"
  # shellcheck disable=SC2086 # family and name
  { printf 'table %s\ndelete table %s\n' "$2" "$2"; nft list table $2 2>/dev/null || true; } >"$run/old.nft"
  systemd-run --quiet --collect --unit="pipeline-firewall-guard-$1" bash "$run/guard"
  nft -f "$run/new.nft"
  report probe "$1"
  # a sleep would be a process, and many of them keep a slow host from answering us
  exec {never}<> <(:)
  since=$SECONDS
  until [[ -e $run/result ]] || ((SECONDS - since > 2 * confirm_seconds + 20)); do
    read -rt 0.1 -u "$never" _ || true
  done
  result=$(<"$run/result")
  [[ $result != kept ]] || return 0
  [[ $result != reverted ]] || exit "$cut_off"
  printf '%s\n' "$result"
  return 1
}
