/** What is run on a host to change its proxy: bash functions as text. They print nothing when all is well. Pure. */

import { PROXY_LIVE, PROXY_STATE, SITES } from '../contract/proxy-paths.ts';
import { quote } from '../ssh/quote.ts';
import type { Site } from './proxy.ts';
import { siteConfig, siteFile } from './site.ts';

/** systemd copies the weights into memory at boot, long before nginx starts. */
const AT_BOOT = '/etc/tmpfiles.d/pipeline-proxy.conf';

/**
 * Functions for a script that works on sites.
 *
 * `site_put APP FILE` puts a new site file in place and reloads; returns 0 where it did or nothing was to do, and sets `site_changed`. The whole
 * configuration is tried in a mount namespace of its own first, so that a broken one never lies where nginx would find it, not even for a moment.
 * A reload counts when every worker of before has stopped taking connections: nginx reports a failed one (a port that is taken) in its log alone.
 *
 * `weights_put APP GREEN` moves the traffic: one rename in memory, after one on the disk. So a power cut at any moment leaves either the weights of
 * before or those that were wanted, both of which are served, since a version is stopped only afterwards.
 */
export const PROXY_FUNCTIONS = `
nginx_workers() { # those that take connections
  local master pid
  master=$(cat /run/nginx.pid 2>/dev/null) || return 0
  for pid in $(pgrep -P "$master" 2>/dev/null); do
    case $(tr '\\0' ' ' </proc/$pid/cmdline 2>/dev/null) in
      *'shutting down'*) ;;
      *'worker process'*) echo "$pid" ;;
    esac
  done
}
nginx_reload() {
  if ! systemctl is-active --quiet nginx.service; then
    systemctl start nginx.service
    return
  fi
  local before tries
  before=" $(nginx_workers | tr '\\n' ' ')"
  systemctl reload nginx.service || return 1
  for tries in $(seq 100); do
    local old='' pid
    for pid in $(nginx_workers); do case $before in *" $pid "*) old=$pid ;; esac; done
    [ -n "$old" ] || return 0
    sleep 0.05
  done
  echo 'nginx did not take the new configuration over; its log says:' >&2
  grep -F '[emerg]' /var/log/nginx/error.log | tail -n 5 >&2
  return 1
}
site_try() { # SITES-FOLDER-AS-IT-WOULD-BE SITE: a name that another site has is a warning to nginx, which ignores the second one
  local said code name
  said=$(unshare --mount --propagation private sh -c 'mount --bind "$1" ${SITES} && exec nginx -t -q' try "$1" 2>&1)
  code=$?
  [ -z "$said" ] || printf '%s\\n' "$said" >&2
  for name in $(sed -n 's/.*conflicting server name "\\([^"]*\\)".*/\\1/p' <<<"$said"); do
    grep -q "^ *server_name .*\\b$name\\b" "$1/$2.conf" && return 1
  done
  return $code
}
site_put() {
  local file=${SITES}/$1.conf new=$2 trial old
  site_changed=0
  weights_ready "$1" || return 1
  cmp -s "$new" "$file" && return 0
  trial=$(mktemp -d /run/pipeline-sites.XXXXXX) && chmod 0755 "$trial" || return 1
  cp -a ${SITES}/. "$trial/" && cp "$new" "$trial/$1.conf" && site_try "$trial" "$1"
  local result=$?
  rm -rf "$trial"
  [ $result = 0 ] || return 1
  old=$file.before
  if [ -e "$file" ]; then cp -a "$file" "$old"; else rm -f "$old"; fi
  cp "$new" "$file.new" && chmod 0644 "$file.new" && sync "$file.new" && mv -f "$file.new" "$file" || return 1
  if nginx_reload; then
    rm -f "$old"
    site_changed=1
    return 0
  fi
  if [ -e "$old" ]; then mv -f "$old" "$file"; else rm -f "$file"; fi
  nginx_reload
  return 1
}
weights_put() {
  weights_at_boot && weights_link ${PROXY_STATE} "$1" "$2" && sync "${PROXY_STATE}/$1" && weights_link ${PROXY_LIVE} "$1" "$2"
}
weights_link() { # BELOW APP GREEN
  local folder=$1/$2 bucket
  if [ ! -d "$folder/w$3" ]; then
    rm -rf "$folder/w$3.new"
    mkdir -p "$folder/w$3.new" || return 1
    for ((bucket = 0; bucket < $3; bucket++)); do : >"$folder/w$3.new/$bucket" || return 1; done
    chmod 0755 "\${1%/*}" "$1" "$folder" "$folder/w$3.new" && mv -T "$folder/w$3.new" "$folder/w$3" || return 1
  fi
  ln -sfn "w$3" "$folder/weights.new" && mv -fT "$folder/weights.new" "$folder/weights"
}
weights_at_boot() { # a bare return would be the status from before where a trap calls this, as undo does
  [ -e ${AT_BOOT} ] && return 0
  mkdir -p ${AT_BOOT.slice(0, AT_BOOT.lastIndexOf('/'))} && echo 'C ${PROXY_LIVE} - - - - ${PROXY_STATE}' >${AT_BOOT}.new && sync ${AT_BOOT}.new && mv -f ${AT_BOOT}.new ${AT_BOOT}
}
weights_where() { # the folder that nginx looks into: in memory, unless the site is of an older version of pipeline
  if grep -qsF 'if (-f ${PROXY_LIVE}/' "${SITES}/$1.conf" && [ -L "${PROXY_LIVE}/$1/weights" ]; then
    echo "${PROXY_LIVE}/$1"
  else
    echo "${PROXY_STATE}/$1"
  fi
}
weights_get() { # prints green's per cent; nothing: no such site
  local target
  target=$(readlink "$(weights_where "$1")/weights") && echo "\${target#w}"
}
weights_ready() { # before a site is put in place that looks in memory
  local green
  green=$(weights_get "$1") || return 0
  weights_put "$1" "$green"
}
`;

/** Bash that leaves the site's file at `$site_file`, or ends the script. Stands on lines of its own. */
export function writeSite(site: Site): string {
  return writeSiteText(siteConfig(site));
}

/** The same for the text of any site. */
export function writeSiteText(text: string): string {
  return `site_file=$(mktemp /run/pipeline-site.XXXXXX) && cat >"$site_file" <<'PIPELINE_SITE' || exit 1
${text}PIPELINE_SITE`;
}

/** Removes a site with its weights; its access logs stay until they have rotated away. */
export function removeSite(app: string): string {
  return `if [ -e ${quote(siteFile(app))} ]; then rm -f ${quote(siteFile(app))} && nginx_reload; fi && rm -rf ${quote(`${PROXY_STATE}/${app}`)} ${quote(`${PROXY_LIVE}/${app}`)}`;
}
