#!/bin/sh
# The gems of Gemfile.lock in $TARGET/gems, without those of development and test.
set -eu
: "${TARGET:?}"
BUNDLE_APP_CONFIG=$HOME/bundle BUNDLE_PATH=$TARGET/gems BUNDLE_DEPLOYMENT=true \
  BUNDLE_WITHOUT=development:test \
  BUNDLE_USER_HOME=$HOME/bundle bundle install --jobs 2
