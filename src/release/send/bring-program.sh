#!/bin/bash
# Puts the program in place with its Node, and makes units run it. Values: folder, name, version, archive
# (empty: Node is there), nodes, agents.
# shellcheck disable=SC2154 # the values stand in a header
set -eu
node=$nodes/$version
mkdir -p "$folder" "$nodes"
if [ ! -x "$node/bin/node" ]; then
  rm -rf "$node" "$node.new"
  if [ -n "$archive" ]; then
    mkdir "$node.new"
    tar -xzf "$archive" --strip-components=1 --no-same-owner -C "$node.new" package/bin/node package/LICENSE
    rm -f "$archive"
  else
    # The agent's: one file on the disk for both.
    cp -al "$agents/node-$version" "$node.new"
  fi
  sync -f "$node.new"
  mv -T "$node.new" "$node"
fi
ln -sfn "$node" "$folder/node.new"
mv -fT "$folder/node.new" "$folder/node"
ln -sfn "$name" "$folder/current.new"
mv -fT "$folder/current.new" "$folder/current"
for other in "$folder"/onhost-*.cjs; do
  [ "$other" = "$folder/$name" ] || rm -f "$other"
done
