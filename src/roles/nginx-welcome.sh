# shellcheck shell=bash
# Stands after stock.sh. Ends with 1 where the link to nginx's welcome page is to go: the site is as its
# package brought it and nobody put a page of his own beside it, or an older version of pipeline kept it from
# being served. Values: configuration, link, folder.
: "${configuration:?}" "${link:?}" "${folder:?}"
[[ -e $link ]] && is_stock "$link" || exit 0
if grep -qs 'Made by pipeline' "$configuration" && ! grep -q sites-enabled "$configuration"; then exit 1; fi
[[ -z $(find "$folder" -mindepth 1 ! -name index.nginx-debian.html 2>/dev/null | head -n 1) ]] || exit 0
exit 1
