/** The bash script that does what was planned. It reports on standard output; `apply.ts` reads that. */

import { quote } from '../ssh/quote.ts';
import { STAMP_FOLDER } from './fingerprint.ts';
import { CONFIRM_WITHIN } from './steps/firewall.ts';
import { POLICY_FILE, POLICY_MARKER } from './steps/package.ts';

/** Begins a line that is a report; nothing else prints this character. */
export const REPORT = '\u0001';
export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Exit code where another run is changing the host (EX_TEMPFAIL). */
export const BUSY = 75;
/** Exit code of a step whose new file its validation refused. */
export const REFUSED = 65;
/** Exit code of a step that cut this program off and was taken back. */
export const CUT_OFF = 77;

/** Seconds to wait for another run, or for apt's locks. */
const WAIT = 120;

/** Some bash, and how many of the plan's changes it makes: a transaction of packages makes several. */
export interface ScriptStep {
  readonly bash: string;
  readonly changes: number;
}

/**
 * Output of steps goes through tee, which keeps a copy on the host and goes on when this side is gone: apt is not killed in the middle by a
 * connection that breaks. The script itself then ends at the next step's border.
 */
const FUNCTIONS = `report() { printf '${REPORT}%s\\n' "$*"; }
step() {
  report start "$1" "$2" || exit
  ( set -e; "step$1" ) 9>&- 2>&1 | tee -pa "$log"
  local code=\${PIPESTATUS[0]}
  if ((code)); then
    report failed "$1" "$2" "$code" $(df -B1 --output=avail,size / /var /tmp /var/cache/apt/archives 2>/dev/null | tail -n +2 | sort -n | head -n 1)
    exit 0
  fi
  report done "$1" "$2" || exit
}
stamp() {
  printf %s "$2" >"$1.new"
  mv -fT "$1.new" "$1"
}
validated() {
  local message
  message=$(eval "$1" 2>&1) && return
  printf '%s\\n' "$message"
  return ${REFUSED}
}
unit() {
  local code=0 since=\${EPOCHREALTIME/,/.}
  systemctl "$1" "$2" || code=$?
  ((code)) || return 0
  # By time: what a process said that ended at once may lack the mark of its run.
  journalctl --sync 2>/dev/null || true
  journalctl --quiet --no-pager --output=cat --lines=12 --unit="$2" --since="@$since" || true
  return "$code"
}
hold() {
  printf '%s\\n' "$@" >/run/pipeline/held
  if [[ ! -e ${POLICY_FILE} ]] || grep -qF '${POLICY_MARKER}' ${POLICY_FILE}; then
    cat >${POLICY_FILE} <<'POLICY'
#!/bin/sh
# ${POLICY_MARKER}: these services start after their configuration is there. Removed when the packages are installed.
for unit in "$1" "$1.service"; do
  if grep -qxF -- "$unit" /run/pipeline/held 2>/dev/null && ! systemctl --quiet is-active "$unit"; then exit 101; fi
done
exit 0
POLICY
    chmod 755 ${POLICY_FILE}
    trap release EXIT
  fi
}
release() {
  if grep -qsF '${POLICY_MARKER}' ${POLICY_FILE}; then rm -f ${POLICY_FILE}; fi
  rm -f /run/pipeline/held
}
apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=${WAIT} -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \\
    -o Dpkg::Options::=--force-confold "$@"
}
lists=/var/lib/apt/lists
update() {
  local tries
  for tries in {1..${WAIT}}; do
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
  [[ -z $(find "$newest" -maxdepth 0 -mmin +1440) && -z $(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$newest" -name '*.[ls]*' 2>/dev/null) ]]
}
packages() {
  local options=() updated=
  [[ $1 = -- ]] || options=("$1")
  shift
  current || { update; updated=1; }
  apt install --no-install-recommends "\${options[@]}" -- "$@" && return
  local code=$?
  # What the lists name may be gone from the mirror, or too new for them.
  [[ -z $updated ]] && grep -Eq 'Unable to (locate|fetch)|has no installation candidate|404 ' "$log" || return $code
  update
  apt install --no-install-recommends "\${options[@]}" -- "$@"
}
repair_packages() {
  local tries
  release
  for tries in {1..${WAIT}}; do
    dpkg --force-confdef --force-confold --configure -a >/run/pipeline/repair 2>&1 && break
    grep -q 'lock' /run/pipeline/repair || break
    sleep 1
  done
  cat /run/pipeline/repair
  apt install --no-remove --fix-broken
}
load_firewall() {
  local run=/run/pipeline/firewall-$1 result waited
  systemctl --quiet stop "pipeline-firewall-guard-$1" 2>/dev/null || true
  rm -rf "$run"
  mkdir -m 700 "$run"
  printf %s "$3" >"$run/new.nft"
  printf %s "$4" >"$run/guard"
  nft -c -f "$run/new.nft"
  { printf 'table %s\\ndelete table %s\\n' "$2" "$2"; nft list table $2 2>/dev/null || true; } >"$run/old.nft"
  systemd-run --quiet --collect --unit="pipeline-firewall-guard-$1" bash "$run/guard"
  nft -f "$run/new.nft"
  report probe "$1"
  for waited in {1..${(CONFIRM_WITHIN + 20) * 20}}; do
    [[ ! -e $run/result ]] || break
    sleep 0.05
  done
  result=$(<"$run/result")
  [[ $result != kept ]] || return 0
  [[ $result != reverted ]] || exit ${CUT_OFF}
  printf '%s\\n' "$result"
  return 1
}`;

/** The whole script. `forget` are stamps to rewrite before the first step. */
export function applyScript(steps: readonly ScriptStep[], forget: readonly string[]): string {
  let first = 0;
  const numbered = steps.map((step) => {
    const index = first;
    first += step.changes;
    return { ...step, index };
  });
  return `export ${PATH} LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
umask 022
# A connection that is gone must not end a step in its middle; it ends the script at the next border.
trap : PIPE
mkdir -p /run/pipeline /var/log/pipeline /var/lib/pipeline
mkdir -p -m 700 ${STAMP_FOLDER}
log=/var/log/pipeline/converge.log
${FUNCTIONS}
exec 9>/run/pipeline/converge.lock
flock -w ${WAIT} 9 || exit ${BUSY}
install -m 600 /dev/null "$log"
${forget.join('\n')}
${numbered.map(({ index, bash }) => `step${index}() {\n${bash}\n}`).join('\n')}
${numbered.map(({ index, changes }) => `step ${index} ${changes}`).join('\n')}
report finished`;
}

/** Bash that remembers. */
export function stampScript(path: string, text: string): string {
  return `stamp ${quote(path)} ${quote(text)}`;
}
