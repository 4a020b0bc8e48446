# shellcheck shell=bash
# Asks MongoDB's package repository alone for its lists. Values: sources (its file for apt), said (where apt's
# many words go: they would hide the sentence).
: "${sources:?}" "${said:?}"
if ! apt-get -q update -o Dir::Etc::sourcelist="$sources" -o Dir::Etc::sourceparts=/dev/null \
  -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any -o Acquire::Retries=1 >"$said" 2>&1; then
  address=$(sed -n 's/.*\(https\?:[^ ]*\).*/\1/p' "$sources")
  echo "The host cannot reach MongoDB's package repository ($address)."
  echo 'Name one that it reaches with repository: in pipeline.yml, or take engine: ferretdb.'
  echo "What apt said: $said on the host."
  exit 1
fi
mkdir -p /var/lib/pipeline && sha256sum "$sources" >/var/lib/pipeline/mongodb-repository
