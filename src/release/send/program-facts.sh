# shellcheck shell=bash
# What a host has of pipeline's program, a line a fact. Values: onhost, node_root, agent_nodes.
: "${onhost:?}" "${node_root:?}" "${agent_nodes:?}"
echo "architecture $(uname -m)"
program=$(readlink "$onhost/current") && echo "program $program"
[ -x "$onhost/node/bin/node" ] && echo "program-node $(basename "$(readlink "$onhost/node")")"
# Node's versions, and those of what stands for it (bun-1.4.5).
for bin in "$node_root"/*/bin; do
  [ -d "$bin" ] && echo "node $(basename "$(dirname "$bin")")"
done
for node in "$agent_nodes"/node-*/bin/node; do
  [ -x "$node" ] && node=$(dirname "$(dirname "$node")") && echo "agent-node ${node##*/node-}"
done
true
