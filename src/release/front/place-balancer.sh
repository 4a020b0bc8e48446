# shellcheck shell=bash
# Gives a balancer its site, after the certificate that it needs. Follows the proxy's functions. Values: app,
# text (of the site), tls (folder), kind (given, acme, or empty: none); given: name, chain, key; acme: domain.
: "${app:?}" "${text:?}" "${tls:?}"
mkdir -p /run/pipeline && exec 8>>"/run/pipeline/release-$app.lock" && flock -w 60 8 || exit 1
# shellcheck disable=SC2154 # values
put_certificate() (
  umask 077
  case $kind in
    given) mkdir -p "$tls" && printf %s "$chain" >"$tls/$name.crt" && printf %s "$key" >"$tls/$name.key" ;;
    acme)
      # Until the first one comes, the host signs one itself: for a week, so that the monitor warns.
      [ ! -s "$tls/acme/fullchain.pem" ] || return 0
      own=$tls/acme-self
      mkdir -p "$own" &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 \
          -subj "/CN=$domain" \
          -keyout "$own/privkey.pem" -out "$own/fullchain.pem" 2>/dev/null &&
        ln -sfn acme-self "$tls/acme"
      ;;
  esac
)
put_certificate || exit 1
site_file=$(mktemp /run/pipeline-site.XXXXXX) && printf %s "$text" >"$site_file" || exit 1
site_put "$app" "$site_file"
result=$?
rm -f "$site_file"
exit $result
