#!/bin/sh
# The gems of Gemfile.lock, without those of development and test: Debian's where the host has each of them
# (packages:), else in $TARGET/gems. $TARGET/config, which Bundler reads before its variables, says which.
set -eu
: "${TARGET:?}"
export BUNDLE_APP_CONFIG="$TARGET" BUNDLE_PATH="$TARGET/gems" BUNDLE_DEPLOYMENT=true \
  BUNDLE_WITHOUT=development:test BUNDLE_USER_HOME="$HOME/bundle"
echo 'BUNDLE_PATH__SYSTEM: "true"' >"$TARGET/config"
if bundle install --local >/dev/null 2>&1; then
  bundle list
  exit
fi
rm "$TARGET/config"
bundle install --jobs 2
