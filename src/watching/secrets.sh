# shellcheck shell=bash
# Makes the secrets of the monitor once, and prints them. The header sets folder and name.
: "${folder:?}" "${name:?}"
set -eu
umask 077
mkdir -p /etc/pipeline "$folder"
chmod 755 /etc/pipeline "$folder"
cd "$folder"
made=no
if [ ! -s seed ]; then
  head -c 32 /dev/urandom | base64 -w0 >seed.new && mv seed.new seed
  made=yes
fi
if [ ! -s redis.crt ] || [ ! -s redis.key ]; then
  command -v openssl >/dev/null || apt-get install --yes --quiet openssl >&2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout redis.key.new -out redis.crt.new 2>/dev/null
  chmod 644 redis.crt.new
  mv redis.key.new redis.key && mv redis.crt.new redis.crt
  made=yes
fi
echo "$made"
cat seed
echo
cat redis.crt
