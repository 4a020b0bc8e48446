# shellcheck shell=sh
# Yarn 2 and 3 know no installation for production alone. Told nothing of what only the build needs, they
# remove it; the lock file still says the versions of the rest. Then the files are as they were.
set -eu
back() {
  find . -name node_modules -prune -o -name '*.before-production' -exec sh -c \
    'mv -f "$1" "${1%.before-production}"' sh {} \;
}
trap back EXIT
cp yarn.lock yarn.lock.before-production
find . -name node_modules -prune -o -name package.json -exec node -e '
  const fs = require("fs");
  for (const path of process.argv.slice(1)) {
    const { devDependencies, ...rest } = JSON.parse(fs.readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
    if (devDependencies === undefined) continue;
    fs.copyFileSync(path, path + ".before-production");
    fs.writeFileSync(path, JSON.stringify(rest));
  }' {} +
YARN_ENABLE_IMMUTABLE_INSTALLS=false YARN_ENABLE_SCRIPTS=false yarn install
