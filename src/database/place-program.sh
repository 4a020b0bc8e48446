# shellcheck shell=bash
# Puts FerretDB in place from what was sent: a program, or a Debian package. Value: target (program; beside it
# lies what was sent).
: "${target:?}"
set -u
sent=$target.sent new=$target.new
fail() {
  rm -f "$sent" "$new"
  echo "@@ failed $*"
  exit 30
}
if [ "$(head -c 7 "$sent")" = '!<arch>' ]; then
  if ! dpkg-deb --fsys-tarfile "$sent" | tar -xO --wildcards '*/bin/ferretdb' >"$new" || [ ! -s "$new" ]; then
    fail 'the package has no program ferretdb'
  fi
  rm -f "$sent"
else
  mv "$sent" "$new"
fi
chmod 755 "$new"
version=$("$new" --version 2>&1) || fail "it does not run here: $(printf %s "$version" | tail -n 1)"
case $version in
  *'v1.'*) ;;
  *) fail "it is not FerretDB 1: $(printf %s "$version" | head -n 1)" ;;
esac
sync "$new" && mv "$new" "$target"
