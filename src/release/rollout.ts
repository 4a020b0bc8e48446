/** The scripts that change an application's release on one host, put together from functions and values. Pure. */

import type { Manifest } from '../contract/manifest.ts';
import type { Colour } from '../contract/places.ts';
import {
  NETWORKS,
  NODE_ROOT,
  networkOf,
  other,
  portOf,
  settingsFolder,
  systemUser,
  workingDirectory,
} from '../contract/places.ts';
import { type AuditEntry, auditCommand } from '../environment/audit.ts';
import type { Site } from '../proxy/proxy.ts';
import { writeSite } from '../proxy/scripts.ts';
import { quote } from '../ssh/quote.ts';
import { checkScript } from './check.ts';
import { type Certificate, certificateCommand } from './front/certificate.ts';
import { RELEASE_FUNCTIONS } from './functions.ts';
import { keepSecrets, type Secrets } from './secrets.ts';
import { GIVEN_UP, tomcatFiles, tomcatLinks, tomcatStart, unpackWar } from './tomcat.ts';
import { environmentFile, instancesOf, startScript, unitFile } from './unit.ts';

/** Files of a release that is not on the host yet. */
export interface NewRelease {
  readonly env: Readonly<Record<string, string>>;
  readonly overlay: Readonly<Record<string, string>>;
  readonly digest: string;
  /** A release on the host with the same files, from which they are taken instead of the artifact. */
  readonly sameTree?: string | undefined;
  /** SHA-256 of the archive with Node that was sent; absent: the host has that version. */
  readonly node?: string | undefined;
}

/** One host's part of a deploy or a rollback. */
export interface HostRollout {
  readonly manifest: Manifest;
  readonly slot: number;
  /** The colour that the release starts in, and the one that serves now. */
  readonly colour: Colour;
  readonly old: Colour | null;
  /** Absent: it is on the host already. */
  readonly placed?: NewRelease | undefined;
  readonly secrets: Secrets;
  /** Absent: it stays as it is. */
  readonly site?: Site | undefined;
  readonly certificate?: Certificate | undefined;
  /** Whether this host runs the commands at fixed points: one host does, since a migration must not run twice. */
  readonly hooks: boolean;
  /** It has served before: failing now does not make it a failed release. */
  readonly proven: boolean;
}

/** What is done once the new version stays. */
export interface HostCommit {
  readonly manifest: Manifest;
  readonly slot: number;
  /** The colour that serves. */
  readonly colour: Colour;
  /** The release that is left by a rollback. */
  readonly withdrawn?: string | undefined;
  readonly remove: readonly string[];
  readonly hooks: boolean;
  readonly audit?: AuditEntry | undefined;
  /** Bash that begins the watch over it; absent: nobody watches. */
  readonly guard?: string | undefined;
  /** The site that is to be put in place; absent: it is already. */
  readonly site?: { readonly site: Site; readonly certificate?: Certificate | undefined } | undefined;
}

/** Everything up to and including the switch and the probation; ends with the old version standing by. */
export function rolloutScript(rollout: HostRollout): string {
  const { manifest, colour, old, proven } = rollout;
  return [header(manifest, colour, old, proven), 'guard_end', ...unchanged(old), rolloutSteps(rollout)].join(
    '\n',
  );
}

/** The host may have gone back by itself since it was looked at. */
function unchanged(old: Colour | null): string[] {
  return old === null
    ? []
    : [`[ "$(serving)" = ${old} ] || fail lock "its host has changed the version that serves meanwhile"`];
}

/** Back to the release of before, by the host alone. What an interrupted run has done is not done again. */
export function returnScript(
  back: Pick<HostRollout, 'manifest' | 'slot' | 'colour'> & { readonly old: Colour },
): string {
  const { manifest, colour, old } = back;
  const common = { ...back, hooks: false, proven: true };
  return [
    header(manifest, colour, old, true),
    `if [ "$(serving)" = ${old} ]; then`,
    rolloutSteps({ ...common, secrets: { values: {}, kept: [] } }),
    'fi',
    commitSteps({ ...common, remove: [] }),
  ].join('\n');
}

/** Lets the old version finish, stops it, and tidies up; first puts the site in place where that alone has changed. */
export function commitScript(commit: HostCommit): string {
  const { manifest, colour, site } = commit;
  return [
    header(manifest, colour, null, true),
    ...(site === undefined ? [] : [siteSteps(site.site, manifest.app, site.certificate)]),
    commitSteps(commit),
  ].join('\n');
}

/** Both in one: for a single host. */
export function deployScript(rollout: HostRollout, commit: HostCommit): string {
  return [rolloutScript(rollout), commitSteps(commit)].join('\n');
}

/** Back to the version that stands by, after another host's failure. */
export function revertScript(
  manifest: Manifest,
  colour: Colour,
  old: Colour | null,
  proven: boolean,
): string {
  return `${header(manifest, colour, old, proven)}
say 'start revert'
phase=switched
started=$(date +%s)
undo`;
}

function header(manifest: Manifest, colour: Colour, old: Colour | null, proven: boolean): string {
  const { app, release, node, directory } = manifest;
  const folder = workingDirectory(app, release, directory);
  const path = [
    ...(node === null ? [] : [`${NODE_ROOT}/${node}/bin`]),
    `${folder}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin`,
  ];
  const values = {
    app,
    release,
    colour,
    old: old ?? '',
    user: systemUser(app),
    directory: folder,
    path: path.join(':'),
  };
  const set = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return `set -u
${set.filter((line) => !line.startsWith('path=')).join(' ')}
path=${quote(values.path)}
phase=none keep_state=${proven ? 1 : 0} started=$EPOCHSECONDS
${RELEASE_FUNCTIONS}
trap undo EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
alone 60`;
}

function rolloutSteps(rollout: HostRollout): string {
  const { manifest, slot, colour, placed, site, secrets } = rollout;
  const { health, hooks, app } = manifest;
  const instances = instancesOf(manifest, slot, colour);
  const where = instances.map(({ address, port, network }) =>
    network === undefined ? `:${port}` : `${address}:${port}`,
  );
  const lines = [
    ...(placed === undefined ? [] : place(rollout, placed)),
    ...(secrets.kept.length === 0
      ? []
      : [`${keepSecrets(app, secrets)} || fail place 'cannot keep the generated secrets'`]),
    `mkdir -p ${settingsFolder(app)} && { [ -e ${settingsFolder(app)}/slot ] || echo ${slot} >${settingsFolder(app)}/slot; }`,
    unitFiles(manifest, slot, colour),
    ...(site?.static === undefined ? [] : [`need ${quote(site.static)}`]),
    ...(rollout.hooks && hooks.beforeCutOver !== null
      ? [`hook before_cut_over ${quote(hooks.beforeCutOver)}`]
      : []),
    `say ${quote(`start start ${colour}`)}`,
    'start_colour',
    ...(instances.length === 0
      ? []
      : [`say ${quote(`done start ${colour} on ${where.join(' ')}`)}`, "say 'start health'"]),
    ...instances.map(
      ({ unit, address, port }) =>
        `healthy ${unit} ${address} ${port} ${health.within} ${health.consecutive}`,
    ),
    ...(instances.length === 0 ? [] : [`say "done health $asked"`]),
    ...(site === undefined ? [] : [siteSteps(site, app, rollout.certificate)]),
    'enable_colour || fail switch "cannot enable the unit"',
    'phase=switched',
    `weights_put "$app" ${colour === 'green' ? 100 : 0} || fail switch 'cannot move the traffic'`,
    `say ${quote(`done switch to ${colour}`)}`,
    ...(rollout.old === null || manifest.probation === 0 || instances.length === 0
      ? []
      : [`say 'start probation'`, `watch_over ${manifest.probation}`, `say 'done probation'`]),
    'phase=kept',
  ];
  return lines.join('\n');
}

function commitSteps(commit: HostCommit): string {
  const { manifest, colour, withdrawn, remove, hooks } = commit;
  const standby = other(colour);
  const lines = [
    'keep_going',
    'echo live >"$folder/state"',
    ...(withdrawn === undefined ? [] : [`echo withdrawn >"$root/releases/${withdrawn}/state"`]),
    'enable_colour',
    `if [ -n "$(systemctl list-units --plain --no-legend --state=active,activating,deactivating "pipeline-$app@${standby}.service" "pipeline-$app@${standby}-*.service")" ]; then
  say 'start drain ${standby}'
  drain ${standby} ${manifest.drain}
  stop_colour ${standby}
  if [ "$cut" = 0 ]; then say "done drain ${standby} finished $drained requests, stopped"; else say "done drain ${standby} stopped with $cut requests still under way after ${manifest.drain / 1000} s"; fi
else
  stop_colour ${standby}
fi`,
    ...(remove.length === 0 ? [] : [`remove_releases ${remove.map(quote).join(' ')}`]),
    ...(commit.audit === undefined ? [] : [auditCommand(commit.audit)]),
    ...(commit.guard === undefined ? [] : [commit.guard]),
    ...(hooks && manifest.hooks.afterDeploy !== null
      ? [`hook after_deploy ${quote(manifest.hooks.afterDeploy)}`]
      : []),
    "say 'done all'",
  ];
  return lines.join('\n');
}

/** Defines what `place` calls, then calls it. */
function place({ manifest }: HostRollout, placed: NewRelease): string[] {
  const overlay = Object.entries(placed.overlay).map(([path, text]) => {
    const target = `"$1"/${quote(path)}`;
    return `mkdir -p "$(dirname ${target})" && rm -rf ${target} && printf %s ${quote(text)} >${target} && chown root:"$user" ${target} && chmod 0640 ${target}`;
  });
  const files: readonly (readonly [string, string, string])[] = [
    ['env', '0600', environmentFile(placed.env)],
    ['digest', '0600', `${placed.digest}\n`],
    ['check', '0700', checkScript(manifest.health)],
    ['release.json', '0644', `${JSON.stringify(manifest)}\n`],
    ...(manifest.start === null ? [] : [['start', '0755', startScript(manifest.start)] as const]),
    ...tomcatText(manifest),
  ];
  const { tomcat } = manifest;
  const node = manifest.node === null ? [] : [`ln -sfn ${NODE_ROOT}/${manifest.node} "$1/node"`];
  const links = tomcat === undefined ? [] : tomcatLinks(tomcat);
  const written = files.map(
    ([name, mode, text]) =>
      `(umask 077; printf %s ${quote(text)} >"$1/${name}") && chmod ${mode} "$1/${name}"`,
  );
  return [
    `overlay() {\n  ${[...overlay, 'true'].join(' &&\n  ')}\n}`,
    `release_files() {\n  ${[...links, ...written, ...node].join(' &&\n  ')}\n}`,
    ...(tomcat === undefined ? [] : ['find_tomcat', 'exec 9>&1', unpackWar(tomcat.servlet)]),
    `say 'start place'`,
    ...(placed.node === undefined ? [] : [`node_put ${manifest.node} ${placed.node}`]),
    `place ${quote(placed.sameTree ?? '')} ${manifest.artifact}`,
    `say 'done place'`,
  ];
}

/** What a release of a Tomcat application has besides the WAR. */
function tomcatText(manifest: Manifest): readonly (readonly [string, string, string])[] {
  const { app, tomcat } = manifest;
  if (tomcat === undefined) return [];
  return [
    ...Object.entries(tomcatFiles(app, tomcat)).map(([name, text]) => [name, '0644', text] as const),
    ['start', '0755', tomcatStart(manifest)],
    ['fatal', '0644', `${GIVEN_UP}\n`],
  ];
}

/** Defines `unit_files`: the unit of each process, and the list of them. */
function unitFiles(manifest: Manifest, slot: number, colour: Colour): string {
  const instances = instancesOf(manifest, slot, colour);
  const list = instances.map(({ unit, address, port, network }) =>
    [unit, address, port, ...(network === undefined ? [] : [network])].join(' '),
  );
  const units = instances.map(
    ({ unit }, index) => `unit_put ${unit} ${quote(unitFile(manifest, slot, colour, index))}`,
  );
  const networks = instances.flatMap(({ name, network }, index) =>
    network === undefined ? [] : [networkSettings(manifest.app, name, portOf(slot, colour, index))],
  );
  const instancesFile = `printf %s ${quote(list.map((line) => `${line}\n`).join(''))} >"$settings/$colour.instances"`;
  return `unit_files() {\n  ${[...units, ...networks, instancesFile].join(' &&\n  ')}\n}`;
}

/** What the unit that makes an instance's network reads. */
function networkSettings(app: string, instance: string, port: number): string {
  const { namespace, link, gateway, address } = networkOf(app, instance, port);
  const text = `NAMESPACE=${namespace}\nLINK=${link}\nGATEWAY=${gateway}\nADDRESS=${address}\n`;
  return `mkdir -p ${NETWORKS} && printf %s ${quote(text)} >${NETWORKS}/${app}-${instance}`;
}

function siteSteps(site: Site, app: string, certificate: Certificate | undefined): string {
  const lines =
    certificate === undefined
      ? []
      : [`${certificateCommand(app, certificate)} || fail proxy 'cannot write the certificate'`];
  return [
    ...lines,
    writeSite(site),
    `site_put "$app" "$site_file" 2>"$site_file.said"; result=$?
if [ $result != 0 ]; then sed 's/^/@@ log /' "$site_file.said"; rm -f "$site_file" "$site_file.said"; fail proxy 'nginx does not take the site'; fi
rm -f "$site_file" "$site_file.said"
if [ "$site_changed" = 1 ]; then say 'done proxy nginx reloaded, its site changed'; fi`,
  ].join('\n');
}
