/**
 * The floor: one bash script a host over one connection, written by hand for these hosts, with checks so
 * that it may run again.
 */

import { quote } from '../../src/ssh/quote.ts';
import { type File, type HostName, type HostState, type Service, stateOf } from './state.ts';

const FUNCTIONS = `set -e
export DEBIAN_FRONTEND=noninteractive
changed=' '
put() {
  if [ ! -f "$1" ] || [ "$(cat "$1")" != "$5" ]; then
    mkdir -p "$(dirname "$1")"
    printf '%s\\n' "$5" >"$1.new"
    chmod "$2" "$1.new"
    chown "$3:$4" "$1.new"
    mv "$1.new" "$1"
    changed="$changed$1 "
  elif [ "$(stat -c '%a %U %G' "$1")" != "\${2#0} $3 $4" ]; then
    chmod "$2" "$1"
    chown "$3:$4" "$1"
  fi
}
service() {
  local unit=$1 file
  shift
  case $(systemctl is-enabled "$unit" 2>/dev/null) in
    enabled | static) ;;
    *) systemctl enable --quiet "$unit" ;;
  esac
  for file; do
    case $changed in *" $file "*) systemctl restart "$unit"; return ;; esac
  done
  systemctl is-active --quiet "$unit" || systemctl start "$unit"
}`;

const put = ({ path, content, mode, owner, group }: File) =>
  `put ${path} ${mode} ${owner} ${group} ${quote(content.replace(/\n$/, ''))}`;

const directory = ({ path, mode, owner, group }: HostState['directories'][number]) =>
  `[ "$(stat -c '%a %U %G' ${path} 2>/dev/null)" = '${mode.slice(1)} ${owner} ${group}' ] ||
  install -d -m ${mode} -o ${owner} -g ${group} ${path}`;

const service = ({ unit, restartOn }: Service) => `service ${[unit, ...restartOn].join(' ')}`;

export function bashScript(host: HostName): string {
  const { packages, user, directories, absent, files, services, firewall } = stateOf(host);
  const states = `dpkg-query -W -f '\${db:Status-Abbrev}' ${packages.join(' ')} 2>/dev/null`;
  const installed = `[ "$(${states})" = '${'ii '.repeat(packages.length)}' ]`;
  const table: File = {
    path: '/etc/nftables.conf',
    content: `#!/usr/sbin/nft -f\ntable inet site\ndelete table inet site\ntable inet site {\n${firewall}}\n`,
    mode: '0755',
    owner: 'root',
    group: 'root',
  };
  return `${FUNCTIONS}
${put(table)}
case $changed in
  *nftables*) nft -f /etc/nftables.conf ;;
  *) nft list table inet site >/dev/null 2>&1 || nft -f /etc/nftables.conf ;;
esac
systemctl is-enabled --quiet nftables || systemctl enable --quiet nftables
${installed} || {
  [ -n "$(find /var/lib/apt/lists -maxdepth 0 -mmin -1440)" ] || apt-get -qq update
  apt-get -qq -y -o Dpkg::Options::=--force-confold --no-install-recommends \\
    install ${packages.join(' ')} >/dev/null
}
id ${user.name} >/dev/null 2>&1 || useradd --system --no-create-home --user-group \\
  --home-dir ${user.home} --shell /usr/sbin/nologin ${user.name}
${directories.map(directory).join('\n')}
${absent.map((path) => `rm -f ${path}`).join('\n')}
${files.map(put).join('\n')}
case $changed in *system/*) systemctl daemon-reload ;; esac
${services.map(service).join('\n')}`;
}
