# shellcheck shell=bash
# Fetches the key of MongoDB's packages. Values: address, key (file), said (where apt's many words go).
: "${address:?}" "${key:?}" "${said:?}"
if ! /usr/lib/apt/apt-helper -o Acquire::Retries=1 download-file "$address" "$key.new" >"$said" 2>&1; then
  rm -f "$key.new"
  echo "The host cannot reach https://pgp.mongodb.com, which has the key of MongoDB's packages."
  echo 'Name a repository that it reaches with repository: in pipeline.yml, or take engine: ferretdb.'
  echo "What apt said: $said on the host."
  exit 1
fi
mv "$key.new" "$key"
