# shellcheck shell=bash
# Stands after stock.sh. Prints what a MariaDB has that somebody else set up. Values: dropin, the file that is
# there once we set it up.
: "${dropin:?}"
[[ ! -e $dropin ]] || exit 0
for folder in /var/lib/mysql/*/; do
  [[ -d $folder ]] || continue
  name=${folder%/} name=${name##*/}
  case $name in mysql | sys | performance_schema | '#'* | lost+found) ;; *) echo "database $name" ;; esac
done
for file in /etc/mysql/my.cnf /etc/mysql/{conf.d,mariadb.conf.d}/*.cnf; do
  if [[ -f $file ]]; then is_stock "$file" || echo "settings in $file"; fi
done
exit 0
