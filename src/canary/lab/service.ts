/** A version as a service on its host: files, unit and script as text. Pure. */
import { posix } from 'node:path';
import type { Artifact } from '../../build/artifact.ts';
import { environmentFile, startScript } from '../../release/order/unit.ts';
import { quote } from '../../ssh/quote.ts';

/** Everything of the canary on a host lies here. */
export const FOLDER = '/opt/pipeline-canary';
export const UNIT = 'pipeline-canary.service';

/** Where a Node of that version is, once `unpackNode` ran. */
export function nodePath(version: string): string {
  return `${FOLDER}/node-${version}/bin/node`;
}

/** The port that a service takes where it reads one from the environment. */
export const DEFAULT_PORT = 3000;

/** Where uploads go, named for what they are, so that what is there is not sent again. */
export function uploadPath(kind: 'node' | 'artifact' | 'agent', name: string): string {
  return `${FOLDER}/uploads/${kind}-${name}`;
}

/** Names of what was uploaded, and of what was unpacked. */
export const LIST = `ls -1 ${FOLDER} ${FOLDER}/uploads 2>/dev/null || true`;

/** Unpacks an uploaded Node (the registry's archive: package/bin/node), unless it was done before. */
export function unpackNode(version: string): string {
  const folder = `${FOLDER}/node-${version}`;
  return `if [ ! -x ${folder}/bin/node ]; then
  rm -rf ${folder}.new && mkdir -p ${folder}.new
  tar -xzf ${uploadPath('node', version)} -C ${folder}.new --strip-components=1 package/bin/node
  mv -T ${folder}.new ${folder}
fi`;
}

export interface ServiceSpec {
  readonly app: string;
  readonly artifact: Artifact;
  /** Exact Node version. */
  readonly node: string;
  /**
   * Environment with the port in it. With secrets, as `overlay`: the script must travel on standard input
   * only.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Files laid over the artifact, by path in it. */
  readonly overlay: Readonly<Record<string, string>>;
  /** Names artifact and overlay together. */
  readonly tree: string;
  readonly memoryBytes: number | undefined;
}

/**
 * Makes the uploaded version the one that runs, freshly started. Everything of another version is removed.
 */
export function installScript(spec: ServiceSpec): string {
  const { artifact, node, env } = spec;
  const release = `${FOLDER}/releases/${spec.tree}`;
  const folder = posix.join(release, artifact.directory);
  const overlay = Object.entries(spec.overlay).map(([path, text]) => {
    const target = quote(`${release}/${path}`);
    return `mkdir -p "$(dirname ${target})"\nprintf %s ${quote(text)} >${target}`;
  });
  return `set -eu
systemctl stop ${UNIT} 2>/dev/null || true
systemctl reset-failed ${UNIT} 2>/dev/null || true
id pipeline-canary >/dev/null 2>&1 ||
  useradd --system --home-dir ${FOLDER} --shell /usr/sbin/nologin pipeline-canary
${unpackNode(node)}
# Always afresh: a service may have written beside its code in an earlier experiment.
rm -rf ${FOLDER}/releases && mkdir -p ${release}
tar -xzf ${uploadPath('artifact', artifact.sha256)} -C ${release}
${overlay.join('\n')}
chown -R pipeline-canary: ${release}
(umask 077; printf %s ${quote(environmentFile(env))} >${FOLDER}/environment)
printf %s ${quote(startScript(artifact.start ?? 'exit 78'))} >${FOLDER}/start
chmod 755 ${FOLDER}/start
printf '%s' ${quote(unitFile(spec, folder))} >/etc/systemd/system/${UNIT}
date +%s >${FOLDER}/began
systemctl daemon-reload
systemctl start ${UNIT}
`;
}

function unitFile(spec: ServiceSpec, folder: string): string {
  const limit = spec.memoryBytes === undefined ? '' : `MemoryMax=${spec.memoryBytes}\n`;
  return `[Unit]
Description=${spec.app} under observation (pipeline canary)
StartLimitIntervalSec=30
StartLimitBurst=8

[Service]
User=pipeline-canary
WorkingDirectory=${folder}
Environment=NODE_ENV=production
Environment=PATH=${FOLDER}/node-${spec.node}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EnvironmentFile=${FOLDER}/environment
ExecStart=${FOLDER}/start
Restart=always
RestartSec=1
CPUAccounting=yes
MemoryAccounting=yes
${limit}NoNewPrivileges=yes
PrivateTmp=yes
`;
}

/** Notes on a host when the experiment's version was brought there. */
export const BEGIN = `mkdir -p ${FOLDER} && date +%s >${FOLDER}/began`;

/** The last lines of a version's journal since it was started for this experiment, oldest first. */
export function journalScript(units: readonly string[], lines: number): string {
  const named = units.map((unit) => `--unit ${quote(unit)}`).join(' ');
  const since = `--since "@$(cat ${FOLDER}/began)"`;
  return `journalctl ${named} ${since} --lines ${lines} --output cat --no-pager --quiet`;
}

/** Removes everything of the canary from a host. */
export const REMOVE = `systemctl stop ${UNIT} 2>/dev/null || true
rm -rf ${FOLDER} /etc/systemd/system/${UNIT}
systemctl daemon-reload
if id pipeline-canary >/dev/null 2>&1; then userdel pipeline-canary; fi`;
