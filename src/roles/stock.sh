# shellcheck shell=bash
# Whether a file stands as its package brought it.
is_stock() {
  local file sum
  file=$(readlink -f "$1") && sum=$(md5sum 2>/dev/null <"$file") || return
  [[ -v conffiles ]] || conffiles=$(dpkg-query -W -f '${Conffiles}\n' 2>/dev/null)
  grep -qF " $file ${sum%% *}" <<<"$conffiles"
}
