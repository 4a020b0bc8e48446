# shellcheck shell=bash
# Whether the host watches a new release or lets one in: prints `guard` or `rollout`. Value: app.
: "${app:?}"
systemctl --quiet is-active "pipeline-guard@$app.service" && echo guard
[ -e "/etc/pipeline/apps/$app/rollout/order.json" ] && echo rollout
true
