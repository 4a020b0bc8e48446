#!/bin/sh
# Makes notes.war with Debian's own packages, without Maven: default-jdk-headless, libtomcat10-java (the servlet API), libmariadb-java (the driver).
set -eu
java=/usr/share/java
for file in tomcat10-servlet-api.jar mariadb-java-client.jar; do
  [ -e "$java/$file" ] || { echo "$java/$file is missing: apt-get install default-jdk-headless libtomcat10-java libmariadb-java" >&2; exit 1; }
done
rm -rf out && mkdir -p out/WEB-INF/classes out/WEB-INF/lib
cp -R web/. out/
javac --release 17 -Xlint:all,-serial -Werror -classpath "$java/tomcat10-servlet-api.jar" -d out/WEB-INF/classes src/notes/*.java
cp -L "$java/mariadb-java-client.jar" out/WEB-INF/lib/
jar --create --file notes.war -C out .
