# shellcheck shell=bash
# Prints applications of the Tomcat that Debian starts: ours run as processes of their own. Values: version.
: "${version:?}"
base=/var/lib/tomcat$version
for application in "$base"/webapps/*; do
  case ${application##*/} in ROOT | '*') ;; *) echo "application ${application##*/}" ;; esac
done
for context in "$base"/conf/Catalina/localhost/*.xml; do
  case ${context##*/} in
    '*.xml' | docs.xml | examples.xml | manager.xml | host-manager.xml) ;;
    *) echo "$context" ;;
  esac
done
exit 0
