# shellcheck shell=bash
# The host's Tomcat, with this release alone. Values: heap (percentage of the memory), port_variable, given_up
# (what Tomcat says when it gives an application up).
# shellcheck disable=SC2154 # the values stand in a header
base=$(dirname "$(readlink -f "$0")")/tomcat
home=$(readlink -f "$base/home")
if [ ! -e "$home/bin/bootstrap.jar" ]; then
  echo "There is no Tomcat in $home: pipeline prod up brings the role tomcat."
  exit 1
fi
# shellcheck source=/dev/null # Debian's; it sets JAVA_HOME
. "/usr/libexec/$(basename "$home")/tomcat-locate-java.sh"
export LC_ALL=${LC_ALL:-C.UTF-8} CATALINA_HOME="$home" CATALINA_BASE="$base"
options=(
  "-XX:MaxRAMPercentage=$heap"
  -XX:+ExitOnOutOfMemoryError
  -Djava.awt.headless=true
  -Djava.io.tmpdir=/tmp
  -Djava.util.logging.config.file="$base/conf/logging.properties"
  -Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager
  -Dorg.apache.catalina.startup.EXIT_ON_INIT_FAILURE=true
  -Dcatalina.home="$home"
  -Dcatalina.base="$base"
  -Dpipeline.port="${!port_variable}"
  "--add-opens=java.base/java.lang=ALL-UNNAMED"
  "--add-opens=java.base/java.io=ALL-UNNAMED"
  "--add-opens=java.base/java.util=ALL-UNNAMED"
  "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED"
  "--add-opens=java.rmi/sun.rmi.transport=ALL-UNNAMED"
)
# Ends a starting Tomcat that gives the application up; later its log may quote visitors.
# shellcheck disable=SC2016 # the program is perl
reader='$SIG{TERM} = $SIG{INT} = "IGNORE"; $| = 1;
while (<STDIN>) {
  print;
  $up ||= /Server startup in /;
  kill "TERM", $ARGV[0] if !$up && index($_, $ARGV[1]) >= 0;
}'
# shellcheck disable=SC2086 # several options in one variable, as Tomcat's own scripts take them
exec "$JAVA_HOME/bin/java" "${options[@]}" $JAVA_OPTS $CATALINA_OPTS \
  -classpath "$home/bin/bootstrap.jar:$home/bin/tomcat-juli.jar" org.apache.catalina.startup.Bootstrap start \
  > >(exec perl -e "$reader" $$ "$given_up") 2>&1
