/**
 * What a host does to change an application's release: bash functions as text. They work on `$app`, `$release`, `$colour` and `$old` (the colour
 * that serves now), and report in lines that begin with `@@`, which `report.ts` reads. Pure.
 */

import { APPS, INCOMING, MIGRATED, NODE_ROOT } from '../contract/places.ts';
import { PROXY_FUNCTIONS } from '../proxy/scripts.ts';

/** How long a command of the definition may take. */
export const HOOK_SECONDS = 600;

export const RELEASE_FUNCTIONS = `${PROXY_FUNCTIONS}
root=/srv/$app folder=/srv/$app/releases/$release settings=${APPS}/$app

# -- reports: a reader that is gone ends the script, through the trap below
say() { printf '@@ %s\\n' "$*"; }
now_ms() { local t=$EPOCHREALTIME; echo $((\${t/[.,]/} / 1000)); }
fail() { # STEP MESSAGE: the last words of a deploy
  say "failed $1 $2"
  exit 30
}
log_of() { # the last lines that the new processes themselves wrote
  local unit
  journalctl --sync 2>/dev/null
  while read -r unit _; do
    journalctl --unit "$unit" --since "@$started" --output cat --no-pager --quiet --lines 2000 _TRANSPORT=stdout 2>/dev/null
  done <"$settings/$colour.instances" | telling | tail -n 25 | sed 's/^/@@ log /'
}
telling() { # of Java's log: up to where Tomcat gave up, and of each stack its top
  if [ ! -e "$folder/fatal" ]; then cat; return; fi
  awk 'FNR == NR { fatal = $0; next } /^[ \t]+(at |... [0-9]+ (more|common))/ { if (++frames > 2) next; print; next } { frames = 0; print } index($0, fatal) { exit }' "$folder/fatal" -
}

# -- one script at a time works on an application: one whose client was killed may still be clearing up
alone() {
  mkdir -p /run/pipeline && exec 8>>"/run/pipeline/release-$app.lock" || exit 1
  flock -w "$1" 8 || fail lock "another run is still changing $app on this host"
}
serving() { # prints the colour that visitors get; nothing: there is no site
  local green
  green=$(weights_get "$app") && if [ "$green" -gt 50 ]; then echo green; else echo blue; fi
}
guard_end() { # nobody watches over the release of before any more
  [ -d "$settings/guard" ] || return 0
  rm -f "/etc/systemd/system/multi-user.target.wants/pipeline-guard@$app.service"
  systemctl stop --quiet "pipeline-guard@$app.service"
  systemctl reset-failed --quiet "pipeline-guard@$app.service" 2>/dev/null
  rm -rf "$settings/guard"
}

# -- files
place() { # SAME-TREE-RELEASE ARTIFACT: everything below a name of its own, then one rename
  [ -d "$folder" ] && return 0
  local new=$root/releases/.new error
  rm -rf "$new" && mkdir -p "$new" || fail place "cannot write below $root"
  id -u "$user" >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir "/var/lib/pipeline-apps/$app" --shell /usr/sbin/nologin "$user" || fail place "cannot make the user $user"
  if [ -n "$1" ] && [ -d "$root/releases/$1/app" ]; then
    error=$(cp -al "$root/releases/$1/app" "$new/app" 2>&1)
  else
    error=$(echo "$2  ${INCOMING}/$2" | sha256sum --check --status 2>&1 || { rm -f "${INCOMING}/$2"; echo 'the artifact did not arrive whole'; false; }) &&
      error=$(mkdir "$new/app" 2>&1 && unpack "${INCOMING}/$2" "$2" "$new/app" 2>&1) &&
      error=$(overlay "$new/app" 2>&1)
  fi || fail place "$(printf %s "$error" | tail -n 3 | tr '\\n' ' ') ($(df -h --output=avail "$root" | tail -n 1 | tr -d ' ') free)"
  release_files "$new" && echo unfinished >"$new/state" && sync -f "$new" && mv -T "$new" "$folder" || fail place "cannot write $folder"
  rm -f "${INCOMING}/$2"
}
unpack() { # FILE HASH FOLDER; a WAR is unpacked by another function of this name
  tar -xzf "$1" -C "$3"
}
find_tomcat() { # the newest that Debian's packages have put here
  tomcat_home=$(ls -d /usr/share/tomcat{9,10,11}/bin/bootstrap.jar 2>/dev/null | sort -V | tail -n 1)
  tomcat_home=\${tomcat_home%/bin/bootstrap.jar}
  [ -n "$tomcat_home" ] || fail place 'the host has no Tomcat: give it the role tomcat and run pipeline prod up'
}
node_put() { # VERSION SHA256: the Node that was sent
  local folder=${NODE_ROOT}/$1 archive=${INCOMING}/$2 error
  [ -x "$folder/bin/node" ] && return 0
  echo "$2  $archive" | sha256sum --check --status 2>/dev/null || fail place "Node $1 did not arrive whole"
  rm -rf "$folder" "$folder.new"
  error=$(mkdir -p "$folder.new" 2>&1 && tar -xzf "$archive" --strip-components=1 --no-same-owner -C "$folder.new" package/bin/node package/LICENSE 2>&1 &&
    sync -f "$folder.new" && mv -T "$folder.new" "$folder") || fail place "$(printf %s "$error" | tail -n 2 | tr '\n' ' ') ($(df -h --output=avail ${NODE_ROOT} | tail -n 1 | tr -d ' ') free)"
  rm -f "$archive"
}
need() { # FOLDER-OF-THE-ARTIFACT
  [ -d "$folder/app/$1" ] || fail place "the artifact has no folder $1"
}

# -- processes
units_of() { # COLOUR
  local file
  for file in /etc/systemd/system/"pipeline-$app@$1.service" /etc/systemd/system/"pipeline-$app@$1"-*.service; do
    [ -e "$file" ] && basename "$file"
  done
}
connections() { # COLOUR: how many nginx has to its processes
  local unit address port filter=''
  while read -r unit address port _; do filter+="\${filter:+ or }dst $address:$port"; done <"$settings/$1.instances" 2>/dev/null
  if [ -z "$filter" ]; then echo 0; else ss -Htn state established state syn-sent "( $filter )" | wc -l; fi
}
drain() { # COLOUR MILLISECONDS: until nobody has been connected for 0.3 s
  local deadline quiet=0 open most=0
  deadline=$(($(now_ms) + $2))
  while [ $quiet -lt 3 ]; do
    open=$(connections "$1")
    if [ "$open" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
    [ "$open" -le $most ] || { most=$open; say "running drain $1 has $open requests under way"; }
    [ "$(now_ms)" -lt "$deadline" ] || break
    sleep 0.1
  done
  drained=$most cut=$open
}
stop_colour() { # COLOUR
  local units
  units=$(units_of "$1")
  [ -n "$units" ] || return 0
  systemctl stop --quiet $units 2>/dev/null
  (cd /etc/systemd/system/multi-user.target.wants && rm -f $units)
  local unit rest network
  while read -r unit _ _ network; do [ -z "$network" ] || systemctl stop --quiet "$network"; done <"$settings/$1.instances" 2>/dev/null
  systemctl reset-failed --quiet $units 2>/dev/null
  return 0
}
unit_put() { # UNIT TEXT
  printf %s "$2" | cmp -s - "/etc/systemd/system/$1" && return 0
  printf %s "$2" >"/etc/systemd/system/$1" && reload=1
}
start_colour() {
  local unit address port network taken reload=0
  if [ -n "$(systemctl list-units --plain --no-legend --state=active,activating,deactivating,failed "pipeline-$app@$colour.service" "pipeline-$app@$colour-*.service")" ]; then
    drain "$colour" 5000
    stop_colour "$colour"
  fi
  mkdir -p "$settings" && chmod 0755 "$settings" && unit_files || fail start 'cannot write the unit'
  for unit in $(units_of "$colour"); do
    grep -qs "^$unit " "$settings/$colour.instances" || { rm -f "/etc/systemd/system/$unit"; reload=1; }
  done
  ln -sfn "releases/$release" "$root/$colour.new" && mv -fT "$root/$colour.new" "$root/$colour" || fail start 'cannot write the link'
  [ -s "$settings/$colour.instances" ] || return 0
  while read -r unit address port network; do
    [ -z "$network" ] || continue
    taken=$(ss -Hltnp "sport = :$port" | sed -n 's/.*users:((\\(.*\\)))$/\\1/p' | head -n 1)
    [ -z "$(ss -Hltn "sport = :$port")" ] || fail start "port $port is taken by another program\${taken:+ ($taken)}"
  done <"$settings/$colour.instances"
  [ $reload = 0 ] || systemctl daemon-reload || fail start 'systemd does not reload'
  # To the microsecond: an attempt before this one may have written within the same second.
  started=\${EPOCHREALTIME/,/.}
  phase=started
  while read -r unit address port network; do
    if [ -n "$network" ]; then
      systemctl start "$network" 2>/dev/null || fail start "the network of \${unit%.service} cannot be made: $(journalctl -u "$network" -o cat --no-pager -n 3 _TRANSPORT=stdout | tr '\\n' ' ')"
    fi
    systemctl start "$unit" 2>/dev/null || not_started "$unit"
  done <"$settings/$colour.instances"
}
not_started() { # UNIT
  log_of
  fail start "it cannot be started ($(systemctl show --value -p Result "$1"), exit code $(systemctl show --value -p ExecMainStatus "$1"))"
}
listens_on() { # UNIT: the ports that its processes listen on
  local group pids pid
  group=$(systemctl show --value -p ControlGroup "$1")
  pids=$(cat "/sys/fs/cgroup$group/cgroup.procs" "/sys/fs/cgroup/systemd$group/cgroup.procs" 2>/dev/null)
  for pid in $pids; do nsenter --net="/proc/$pid/ns/net" ss -Hltnp 2>/dev/null | grep "pid=$pid," | awk '{print $4}'; done | sort -u | paste -sd ' '
}
given_up() { # UNIT: it runs, but its log says that it will never be well
  [ -e "$folder/fatal" ] && journalctl --unit "$1" --since "@$started" --output cat --no-pager --quiet 2>/dev/null | grep -qFf "$folder/fatal"
}
healthy() { # UNIT ADDRESS PORT WITHIN CONSECUTIVE: asks until it is well, or its time is up, or it keeps ending
  local deadline good=0 said='' code restarts where
  deadline=$(($(now_ms) + $4))
  while :; do
    said=$("$folder/check" "$2:$3")
    code=$?
    if [ $code = 0 ]; then
      good=$((good + 1))
      asked="$said   $good of $5"
      say "running health $asked"
      [ $good -ge "$5" ] && return 0
      sleep 0.05
      continue
    fi
    good=0
    restarts=$(systemctl show --value -p NRestarts "$1")
    if [ "$restarts" -ge 3 ] || [ "$restarts" -ge 1 -a "$(now_ms)" -ge "$deadline" ]; then
      log_of
      fail health "it ended $restarts time$([ "$restarts" = 1 ] || echo s) while it should start (exit code $(exit_code "$1"))"
    fi
    if given_up "$1"; then
      log_of
      fail health "its application did not start"
    fi
    if [ "$(now_ms)" -ge "$deadline" ]; then
      log_of
      where=$(listens_on "$1")
      [ $code = 2 ] && [ -n "$where" ] && said+="; it listens on $where instead"
      fail health "not healthy after $(($4 / 1000)) s: $said"
    fi
    say "running health $said"
    sleep 0.15
  done
}
exit_code() { # UNIT: of the run before this one
  journalctl --sync 2>/dev/null
  journalctl --unit "$1" --since "@$started" --output cat --no-pager --quiet 2>/dev/null | sed -n 's|.*code=[a-z]*, status=\\([^ /]*\\).*|\\1|p' | tail -n 1
}
watch_over() { # MILLISECONDS: the probation, during which the old version stands by
  local deadline unit address port said restarts
  local -A before bad # each process counts for itself: one that is well says nothing of the others
  while read -r unit _; do before[$unit]=$(systemctl show --value -p NRestarts "$unit") bad[$unit]=0; done <"$settings/$colour.instances"
  deadline=$(($(now_ms) + $1))
  while [ "$(now_ms)" -lt "$deadline" ]; do
    say "running probation $(((deadline - $(now_ms)) / 1000)) s left"
    sleep 1
    while read -r unit address port _; do
      restarts=$(systemctl show --value -p NRestarts "$unit")
      if [ "$restarts" != "\${before[$unit]}" ]; then log_of; fail probation "it ended by itself (exit code $(exit_code "$unit"))"; fi
      if said=$("$folder/check" "$address:$port"); then bad[$unit]=0; continue; fi
      bad[$unit]=$((bad[$unit] + 1))
      [ "\${bad[$unit]}" -lt 3 ] || { log_of; fail probation "$said"; }
    done <"$settings/$colour.instances"
  done
}
hook() { # NAME COMMAND: as the application's user, with its environment, in the new release
  local line said='' code='' since=$SECONDS
  say "start $1 $2"
  hook_unit=pipeline-hook-$$
  exec 3< <(systemd-run --quiet --wait --pipe --collect --unit "$hook_unit" -p User="$user" -p Group="$user" -p WorkingDirectory="$directory" \\
    -p EnvironmentFile="$folder/env" -p Environment="PATH=$path" -p Environment=NODE_ENV=production -p NoNewPrivileges=yes \\
    -p ProtectSystem=full -p StateDirectory="pipeline-apps/$app" -p RuntimeMaxSec=${HOOK_SECONDS} /bin/sh -c "$2" 2>&1 </dev/null
    echo "@@code $?")
  until [ -n "$code" ]; do
    IFS= read -r -t 1 -u 3 line
    case $? in
      0) case $line in '@@code '*) code=\${line#* } ;; *) said=$line && say "log $line" && say "running $1 $line" ;; esac ;;
      1) code=255 ;;
      *) say "running $1 $said" ;; # it says nothing: whether anybody listens still is found out by writing
    esac
  done
  exec 3<&-
  hook_unit=''
  if [ "$code" != 0 ]; then
    [ $((SECONDS - since)) -lt ${HOOK_SECONDS} ] || fail "$1" "the command did not end within ${HOOK_SECONDS / 60} min (exit code $code)"
    fail "$1" "the command ended with exit code $code"
  fi
  say "done $1 exit code 0\${said:+: $said}"
}

# -- whatever happens before the new version has proved itself, the old one goes on
undo() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP PIPE
  [ -z "\${hook_unit-}" ] || systemctl stop --quiet "$hook_unit" 2>/dev/null
  case $phase in
    switched) [ -z "$old" ] || weights_put "$app" "$([ "$old" = green ] && echo 100 || echo 0)"; drain "$colour" 5000 >/dev/null; stop_colour "$colour" ;;
    started) stop_colour "$colour" ;;
  esac
  case $phase in
    started | switched) [ "$keep_state" = 1 ] || echo failed >"$folder/state" ;;
  esac
  rm -rf "$root/releases/.new"
  exit $code
}
keep_going() { # from here on the new version stays: finish even where nobody listens any more
  phase=kept
  trap '' INT TERM HUP PIPE
}
enable_colour() {
  local units
  units=$(units_of "$colour")
  [ -n "$units" ] || return 0
  (mkdir -p /etc/systemd/system/multi-user.target.wants && cd /etc/systemd/system/multi-user.target.wants && ln -sf $(printf '../%s ' $units) . && sync .)
}
remove_releases() { # NAMES
  local name node
  for name in "$@"; do rm -rf "$root/releases/$name"; done
  for node in ${NODE_ROOT}/*/; do
    node=$(basename "$node")
    grep -qs "\\"node\\":\\"$node\\"" /srv/*/releases/*/release.json || rm -rf "${NODE_ROOT}/$node"
  done
  for node in ${MIGRATED}/*.war; do
    grep -qs "\\"artifact\\":\\"$(basename "$node" .war)\\"" /srv/*/releases/*/release.json || rm -f "$node"
  done
  find ${INCOMING} -type f -mmin +1440 -delete 2>/dev/null
}
`;
