/** Certificates by ACME (RFC 8555): dehydrated gets them, a timer renews them, nginx is reloaded only where one is new. */

import { CHALLENGES, ISSUED } from '../contract/proxy-paths.ts';
import type { Resource } from '../host/resource.ts';
import { PROXY_FUNCTIONS } from '../proxy/scripts.ts';
import type { Role } from './role.ts';

/**
 * Renews after two thirds of a certificate's life, as authorities advise. The two files of a certificate change together: the site reads them through
 * a link to their folder. Its last words are the reason of a failure, in `acme/reason`.
 */
const PROGRAM = `#!/bin/bash
# Made by pipeline: gets or renews the certificate of a site. Usage: acme APP
set -u
app=$1 folder=/etc/pipeline/apps/$1/acme tls=/etc/pipeline/apps/$1/tls
mkdir -p /run/pipeline && exec 8>>"/run/pipeline/acme-$app.lock" && flock 8 || exit 1
umask 077
${PROXY_FUNCTIONS}
seconds() { date -d "$(openssl x509 -noout "-$1" -in "$folder/certs/site/cert.pem" | cut -d= -f2)" +%s; }
export PIPELINE_RENEW_DAYS=30
if [ -s "$folder/certs/site/cert.pem" ]; then
  PIPELINE_RENEW_DAYS=$((($(seconds enddate) - $(seconds startdate)) / 3 / 86400 + 1))
fi
ask() { dehydrated --config "$folder/config" "$@" 2>&1; }
# An authority may ask for another try at any time (badNonce), which dehydrated does not make.
for try in 1 2 3 4 5; do
  said=$(ask --register --accept-terms && ask --cron)
  code=$?
  [ $code != 0 ] && grep -q badNonce <<<"$said" || break
done
if [ $code != 0 ]; then
  printf '%s\\n' "$said"
  reason=$(sed -n 's/.*"detail"\\]\\{0,1\\}:\\{0,1\\}[[:space:]]*"\\(.*\\)".*/\\1/p' <<<"$said" | head -n 1)
  [ -n "$reason" ] || reason=$(sed -n 's/^ *+* *ERROR: //p' <<<"$said" | head -n 1)
  printf '%s\\n' "\${reason:-dehydrated failed}" >"$folder/reason"
  exit 1
fi
printf '%s\\n' "$said"
name=acme-$(sha256sum <"$folder/certs/site/fullchain.pem" | cut -c 1-16)
if [ "$(readlink "$tls/acme")" != "$name" ]; then
  rm -rf "$tls/$name.new" && mkdir -p "$tls/$name.new" &&
    cp -L "$folder/certs/site/fullchain.pem" "$folder/certs/site/privkey.pem" "$tls/$name.new/" &&
    sync -f "$tls" && rm -rf "$tls/$name" && mv -T "$tls/$name.new" "$tls/$name" &&
    ln -sfn "$name" "$tls/acme.new" && mv -fT "$tls/acme.new" "$tls/acme" && nginx_reload || { echo 'the certificate cannot be put in place' >"$folder/reason"; exit 1; }
  for old in "$tls"/acme-*; do [ "$old" = "$tls/$name" ] || rm -rf "$old"; done
fi
rm -f "$folder/reason"
umask 022
mkdir -p ${ISSUED} && : >"${ISSUED}/$app"
`;

const UNIT = `# Made by pipeline.
[Unit]
Description=Certificate of %i by ACME
After=network-online.target nginx.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/local/lib/pipeline/acme %i
TimeoutStartSec=5min
`;

/** Four times a day, at any second of a quarter of it: authorities ask for that. What is not due asks nobody. */
const TIMER = `# Made by pipeline.
[Unit]
Description=Certificate of %i by ACME

[Timer]
OnCalendar=00/6:00
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
`;

export const acme: Role = {
  name: 'acme',
  exposures: [],
  resources: (): readonly Resource[] => [
    { kind: 'package', name: 'dehydrated' },
    { kind: 'directory', path: '/var/lib/pipeline' },
    { kind: 'directory', path: '/var/lib/pipeline/acme' },
    { kind: 'directory', path: CHALLENGES },
    { kind: 'directory', path: '/usr/local/lib/pipeline' },
    { kind: 'file', path: '/usr/local/lib/pipeline/acme', content: PROGRAM, mode: '0755' },
    { kind: 'file', path: '/etc/systemd/system/pipeline-acme@.service', content: UNIT },
    { kind: 'file', path: '/etc/systemd/system/pipeline-acme@.timer', content: TIMER },
  ],
};
