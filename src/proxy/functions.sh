# shellcheck shell=bash
# What a script on a host uses to change its proxy; silent when all is well. The header sets these:
: "${proxy_sites:?}" "${proxy_state:?}" "${proxy_live:?}" "${proxy_at_boot:?}"

nginx_workers() { # the ones that take new connections
  local master pid
  master=$(cat /run/nginx.pid 2>/dev/null) || return 0
  for pid in $(pgrep -P "$master" 2>/dev/null); do
    case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
      *'shutting down'*) ;;
      *'worker process'*) echo "$pid" ;;
    esac
  done
}
# Has clients close idle connections (sites look for the file), which a reload would close under a request.
nginx_leave() {
  local -a ports filter=()
  local port
  local listen='s/^ *listen \([^ ;]*:\)\{0,1\}\([0-9]*\).*/\2/p'
  mapfile -t ports < <(sed -n "$listen" "$proxy_sites"/*.conf | sort -u)
  for port in "${ports[@]}"; do filter+=(or sport "=" ":$port"); done
  [ ${#filter[@]} -gt 0 ] && [ -n "$(ss -Htn state established "${filter[@]:1}")" ] || return 0
  mkdir -p "$proxy_live" && touch "$proxy_live/.leaving" && sleep 1
}
nginx_reload() {
  if ! systemctl is-active --quiet nginx.service; then
    systemctl start nginx.service
    return
  fi
  local before
  before=" $(nginx_workers | tr '\n' ' ')"
  nginx_leave
  systemctl reload nginx.service || { rm -f "$proxy_live/.leaving"; return 1; }
  for _ in $(seq 100); do
    local old='' pid
    for pid in $(nginx_workers); do case $before in *" $pid "*) old=$pid ;; esac; done
    [ -n "$old" ] || { rm -f "$proxy_live/.leaving"; return 0; }
    sleep 0.05
  done
  rm -f "$proxy_live/.leaving"
  echo 'nginx did not take the new configuration over; its log says:' >&2
  grep -F '[emerg]' /var/log/nginx/error.log | tail -n 5 >&2
  return 1
}
# site_try SITES-FOLDER-AS-IT-WOULD-BE SITE: nginx only warns when two sites have the same name, and ignores
# it in the second one.
site_try() {
  local said code name
  # shellcheck disable=SC2016 # sh expands them
  local in_place='mount --bind "$1" "$2" && exec nginx -t -q'
  said=$(unshare --mount --propagation private sh -c "$in_place" try "$1" "$proxy_sites" 2>&1)
  code=$?
  [ -z "$said" ] || printf '%s\n' "$said" >&2
  # shellcheck disable=SC2013 # a server's name is one word
  for name in $(sed -n 's/.*conflicting server name "\([^"]*\)".*/\1/p' <<<"$said"); do
    grep -q "^ *server_name .*\b$name\b" "$1/$2.conf" && return 1
  done
  return $code
}
site_put() {
  local file=$proxy_sites/$1.conf new=$2 trial old
  site_changed=0
  weights_ready "$1" || return 1
  cmp -s "$new" "$file" && return 0
  trial=$(mktemp -d /run/pipeline-sites.XXXXXX) && chmod 0755 "$trial" || return 1
  cp -a "$proxy_sites/." "$trial/" && cp "$new" "$trial/$1.conf" && site_try "$trial" "$1"
  local result=$?
  rm -rf "$trial"
  [ $result = 0 ] || return 1
  old=$file.before
  if [ -e "$file" ]; then cp -a "$file" "$old"; else rm -f "$old"; fi
  cp "$new" "$file.new" && chmod 0644 "$file.new" && sync "$file.new" && mv -f "$file.new" "$file" || return 1
  if nginx_reload; then
    rm -f "$old"
    # shellcheck disable=SC2034 # the caller reads it
    site_changed=1
    return 0
  fi
  if [ -e "$old" ]; then mv -f "$old" "$file"; else rm -f "$file"; fi
  nginx_reload
  return 1
}
site_remove() { # APP: with its weights; its access logs stay until they have rotated away
  local file=$proxy_sites/$1.conf
  if [ -e "$file" ]; then rm -f "$file" && nginx_reload || return 1; fi
  rm -rf "${proxy_state:?}/$1" "${proxy_live:?}/$1"
}
weights_put() { # APP GREEN
  local -a buckets
  weights_names "$2"
  weights_move "$1" "w$2" "${buckets[@]}"
}
weights_names() { # GREEN: sets `buckets`
  # 100: every name that a site or a split looks for.
  if [ "$1" = 100 ]; then
    buckets=({0..99} {0..24}.{0..39} baseline candidate)
  else
    mapfile -t buckets < <(seq 0 $(($1 - 1)))
  fi
}
# Shares of a rollout: names of the files on standard input.
share_put() { # APP FOLDER
  local -a files
  mapfile -t files
  weights_move "$1" "$2" "${files[@]}"
}
weights_move() { # APP FOLDER FILE...
  weights_at_boot && weights_link "$proxy_state" "$@" && sync "$proxy_state/$1" || return 1
  weights_link "$proxy_live" "$@"
}
weights_link() { # BELOW APP FOLDER FILE...
  weights_folder "$@" && ln -sfn "$3" "$1/$2/weights.new" && mv -fT "$1/$2/weights.new" "$1/$2/weights"
}
weights_folder() { # BELOW APP FOLDER FILE...
  local target=$1/$2/$3
  if [ ! -d "$target" ]; then
    rm -rf "$target.new"
    mkdir -p "$target.new" && weights_files "$target.new" "${@:4}" || return 1
    chmod 0755 "${1%/*}" "$1" "$1/$2" "$target.new" && mv -T "$target.new" "$target" || return 1
  elif [ $# -gt 3 ] && [ ! -e "$target/${*: -1}" ]; then # an older version of pipeline made it
    weights_files "$target" "${@:4}" || return 1
  fi
}
# Links to the files of w100 if it has them: on a slow disk, 1,000 new files take seconds.
weights_files() { # FOLDER FILE...
  [ $# = 1 ] && return 0
  (cd "${1%/*}/w100" && ln -f -t "$1" "${@:2}") 2>/dev/null || (cd "$1" && touch "${@:2}")
}
# Run this before the site with the split is in place. It makes the log that says which visitor went where,
# which only nginx and root may read, and the folders that send everybody to one colour.
split_ready() { # APP
  local below folder
  local -a buckets
  weights_names 100
  for below in "$proxy_state" "$proxy_live"; do
    folder=$below/$1
    weights_folder "$below" "$1" w0 && weights_folder "$below" "$1" w100 "${buckets[@]}" || return 1
    install -d -m 0710 -o root -g www-data "$folder/split" || return 1
    [ -e "$folder/split/requests" ] ||
      install -m 0600 -o www-data -g www-data /dev/null "$folder/split/requests" || return 1
  done
}
split_end() { # APP: run this once its ordinary site and weights are back
  local folder below
  for folder in "$proxy_state/$1" "$proxy_live/$1"; do
    for below in "$folder"/w*-* "$folder/split"; do rm -rf "$below" || return 1; done
  done
}
# Closes a site for visitors, who get the page on standard input with 503. It stays closed over reloads, new
# versions and reboots.
site_close() { # APP RETRY-AFTER INFO
  local below page result=0
  page=$(mktemp /run/pipeline-page.XXXXXX) && cat >"$page" && weights_at_boot || return 1
  for below in "$proxy_state" "$proxy_live"; do
    [ $result != 0 ] || closed_folder "$below/$1" "$2" "$page" "$3" || result=1
  done
  rm -f "$page"
  [ $result = 0 ] && sync "$proxy_state/$1"
}
closed_folder() { # FOLDER RETRY-AFTER PAGE INFO
  local target=$1/closed.$2 other
  install -d -m 0755 "$1" "$target" && printf '%s\n' "$4" >"$target/info" &&
    install -m 0644 "$3" "$target/page.html.new" && mv -f "$target/page.html.new" "$target/page.html" &&
    ln -sfn "closed.$2" "$1/closed.new" && mv -fT "$1/closed.new" "$1/closed" || return 1
  for other in "$1"/closed.*; do [ "$other" = "$target" ] || rm -rf "$other"; done
}
site_open() { # APP
  local below
  for below in "$proxy_live/$1" "$proxy_state/$1"; do
    rm -f "$below/closed" && rm -rf "$below"/closed.* || return 1
  done
}
# A bare `return` in here would return the status from before a trap, and undo calls this from one.
weights_at_boot() {
  local file=$proxy_at_boot
  [ -e "$file" ] && return 0
  mkdir -p "${file%/*}" && echo "C $proxy_live - - - - $proxy_state" >"$file.new" &&
    sync "$file.new" && mv -f "$file.new" "$file"
}
# The folder that nginx looks into: in memory, unless an older version of pipeline wrote the site.
weights_where() {
  if grep -qsF "if (-f $proxy_live/" "$proxy_sites/$1.conf" && [ -L "$proxy_live/$1/weights" ]; then
    echo "$proxy_live/$1"
  else
    echo "$proxy_state/$1"
  fi
}
weights_get() { # prints green's per cent; nothing: no such site
  local target
  target=$(readlink "$(weights_where "$1")/weights") && target=${target#w} && echo "${target%%-*}"
}
weights_ready() { # APP: run this before a site that looks in memory is in place
  local green
  local now
  now=$(readlink "$proxy_live/$1/weights") &&
    [ "$now" = "$(readlink "$(weights_where "$1")/weights")" ] && return 0
  green=$(weights_get "$1") || return 0
  weights_put "$1" "$green"
}
