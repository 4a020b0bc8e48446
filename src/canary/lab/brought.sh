# shellcheck shell=bash
# Which applications a host has, and who brought them: `canary APP` or `other APP`, a line each. Values: sites
# (folder of nginx), roots (folder of applications), brought (list of what canaries brought).
: "${sites:?}" "${roots:?}" "${brought:?}"
{
  find "$sites" -maxdepth 1 -name '*.conf' -printf '%f\n' 2>/dev/null | sed 's/\.conf$//'
  find "$roots" -mindepth 2 -maxdepth 2 -name releases -printf '%h\n' 2>/dev/null | sed 's|.*/||'
  cat "$brought" 2>/dev/null
} | sort -u | while read -r app; do
  if grep -qsxF -- "$app" "$brought"; then echo "canary $app"; else echo "other $app"; fi
done
