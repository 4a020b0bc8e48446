#!/bin/sh
# Made by pipeline: stands for npm, npx, yarn and pnpm on hosts, which have Node alone. Runs scripts of
# package.json and programs of the dependencies, and refuses to install anything: a build has done that.
tool=${0##*/}
own=$(cd "$(dirname "$0")" && pwd)
refuse() {
  echo "$tool: $1 (hosts have no $tool, only its scripts and the programs of the dependencies)" >&2
  exit 127
}
program() {
  name=$1
  shift
  if [ -e "$PWD/node_modules/.bin/$name" ]; then exec "$PWD/node_modules/.bin/$name" "$@"; fi
  if [ -e "$own/$name" ]; then exec "$own/$name" "$@"; fi
  command -v "$name" >/dev/null ||
    refuse "$name is no dependency that production has: put it into \"dependencies\" of package.json"
  exec "$name" "$@"
}
# Prints the command of a script, with what comes before and after it; nothing where there is none.
# shellcheck disable=SC2016 # it is JavaScript
lookup='
const [name, ...words] = process.argv.slice(1);
const { scripts = {} } = JSON.parse(require("fs").readFileSync("package.json", "utf8"));
const escaped = (word) => word.replaceAll("\x27", "\x27\\\x27\x27");
const quoted = words.map((word) => (/^[\w./:=@%+-]+$/.test(word) ? word : `\x27${escaped(word)}\x27`));
const server = name === "start" && require("fs").existsSync("server.js") ? "node server.js" : undefined;
const main = scripts[name] ?? server;
if (main === undefined) process.exit(3);
const parts = [scripts[`pre${name}`], [main, ...quoted].join(" "), scripts[`post${name}`]];
process.stdout.write(parts.filter((part) => part !== undefined).join(" && "));'
script() {
  name=$1
  shift
  if [ "${1-}" = -- ]; then shift; fi
  text=$(node -e "$lookup" "$name" "$@") || return 3
  npm_lifecycle_event=$name npm_execpath=$0
  export npm_lifecycle_event npm_execpath
  # A plain command replaces the shell, so that signals reach it.
  case $text in
    *[!A-Za-z0-9_./:@%+,\ -]* | '. '* | 'cd '*) exec sh -c "$text" ;;
    *) exec sh -c "exec $text" ;;
  esac
}
while :; do
  case ${1-} in
    --no-install | --yes | -y | -s | --silent | -q | --quiet | --offline) shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || refuse 'nothing was asked for'
verb=$1
case $tool in
  npx) program "$@" ;;
  *)
    case $verb in
      -*) refuse "the option $verb is not known here" ;;
      exec | dlx | x)
        shift
        if [ "${1-}" = -- ]; then shift; fi
        [ $# -gt 0 ] || refuse 'nothing was asked for'
        program "$@"
        ;;
      run | run-script)
        shift
        while :; do
          case ${1-} in -s | --silent | -q | --quiet | --if-present) shift ;; *) break ;; esac
        done
        [ $# -gt 0 ] || refuse 'which script?'
        script "$@" || refuse "package.json has no script \"$1\""
        ;;
      start | stop | test | restart) script "$@" || refuse "package.json has no script \"$verb\"" ;;
      install | i | ci | add | update | remove | uninstall | prune | publish)
        refuse "\"$verb\" is not done on hosts"
        ;;
      *)
        [ "$tool" != npm ] || refuse "\"$verb\" is not done on hosts"
        script "$@" || program "$@"
        ;;
    esac
    ;;
esac
