# shellcheck shell=bash
# Gets or renews the certificate of a site. Stands after the functions of the proxy; the header sets issued.
: "${issued:?}"
set -u
app=$1 tls=/etc/pipeline/apps/$1/tls
folder=/etc/pipeline/apps/$1/acme
mkdir -p /run/pipeline && exec 8>>"/run/pipeline/acme-$app.lock" && flock 8 || exit 1
umask 077
seconds() { date -d "$(openssl x509 -noout "-$1" -in "$folder/certs/site/cert.pem" | cut -d= -f2)" +%s; }
export PIPELINE_RENEW_DAYS=30
if [ -s "$folder/certs/site/cert.pem" ]; then
  PIPELINE_RENEW_DAYS=$((($(seconds enddate) - $(seconds startdate)) / 3 / 86400 + 1))
fi
ask() { dehydrated --config "$folder/config" "$@" 2>&1; }
# An authority may ask for another try at any time (badNonce), which dehydrated does not make.
for _ in 1 2 3 4 5; do
  said=$(ask --register --accept-terms && ask --cron)
  code=$?
  [ "$code" != 0 ] || break
  grep -q badNonce <<<"$said" || break
done
if [ "$code" != 0 ]; then
  printf '%s\n' "$said"
  reason=$(sed -n 's/.*"detail"\]\{0,1\}:\{0,1\}[[:space:]]*"\(.*\)".*/\1/p' <<<"$said" | head -n 1)
  [ -n "$reason" ] || reason=$(sed -n 's/^ *+* *ERROR: //p' <<<"$said" | head -n 1)
  printf '%s\n' "${reason:-dehydrated failed}" >"$folder/reason"
  exit 1
fi
printf '%s\n' "$said"
name=acme-$(sha256sum <"$folder/certs/site/fullchain.pem" | cut -c 1-16)
if [ "$(readlink "$tls/acme")" != "$name" ]; then
  if ! { rm -rf "$tls/$name.new" && mkdir -p "$tls/$name.new" &&
    cp -L "$folder/certs/site/fullchain.pem" "$folder/certs/site/privkey.pem" "$tls/$name.new/" &&
    sync -f "$tls" && rm -rf "${tls:?}/$name" && mv -T "$tls/$name.new" "$tls/$name" &&
    ln -sfn "$name" "$tls/acme.new" && mv -fT "$tls/acme.new" "$tls/acme" && nginx_reload; }; then
    echo 'the certificate cannot be put in place' >"$folder/reason"
    exit 1
  fi
  for old in "$tls"/acme-*; do [ "$old" = "$tls/$name" ] || rm -rf "$old"; done
fi
rm -f "$folder/reason"
umask 022
mkdir -p "$issued" && : >"$issued/$app"
