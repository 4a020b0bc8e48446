# shellcheck shell=bash
# Prints packages of MySQL that MariaDB would push out.
# shellcheck disable=SC2016 # dpkg-query expands them
format='${db:Status-Abbrev}\t${Package} ${Version}\n'
dpkg-query -W -f "$format" 'mysql-*server*' 'percona-server-server*' 2>/dev/null |
  sed -n 's/^.i[^\t]*\t//p'
exit 0
