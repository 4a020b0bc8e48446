# shellcheck shell=bash
# Puts Node in place. Values: archive, folder.
: "${archive:?}" "${folder:?}"
set -eu
rm -rf "$folder.new" && mkdir "$folder.new"
tar -xzf "$archive" --strip-components=1 --no-same-owner -C "$folder.new" package/bin/node package/LICENSE
rm -rf "$folder" && mv -T "$folder.new" "$folder" && rm "$archive"
