#!/bin/bash
# Requests a certificate by ACME, and keeps it renewed. Values: app, folder (settings for ACME), config and
# names (texts), directory (of the authority), authority (its line in config), prepared (file), preparation.
set -eu
: "${directory:?}" "${app:?}" "${folder:?}" "${config:?}" "${names:?}"
: "${authority:?}" "${prepared:?}" "${preparation:?}"
echo "$preparation" >"$prepared"
umask 077
mkdir -p "$folder"
# Another authority's certificate goes at once, not when it expires.
grep -qsxF "$authority" "$folder/config" || rm -rf "$folder/certs"
printf %s "$config" >"$folder/config.new"
printf %s "$names" >"$folder/domains.txt"
mv "$folder/config.new" "$folder/config"
systemctl enable --quiet --now "pipeline-acme@$app.timer"
if ! systemctl start "pipeline-acme@$app.service" 2>/dev/null; then
  echo "reason $(cat "$folder/reason" 2>/dev/null || echo 'it took too long')"
  # Whose fault it is: asked, not read from what dehydrated says.
  curl --silent --output /dev/null --max-time 10 "$directory" || echo unreachable
fi
