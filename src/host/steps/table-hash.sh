# shellcheck shell=bash
# SHA-256 of a table as nft lists it, without counters; nothing where there is none.
table_hash() { # 'FAMILY NAME'
  local listing
  # shellcheck disable=SC2086 # family and name
  listing=$(nft -s list table $1 2>/dev/null) && sha256sum <<<"$listing" | cut -c -64
}
