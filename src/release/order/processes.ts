/** Units and scripts of the processes beside the web ones, and of jobs. Pure text. */
import type { Manifest, ManifestProcess } from '../../contract/manifest.ts';
import {
  type Colour,
  colourLink,
  liveLink,
  processNames,
  releaseFolder,
  STATE_ROOT,
  systemUser,
  unitName,
} from '../../contract/places.ts';
import type { OrderedFile, OrderedProcess } from '../../contract/release.ts';
import { ownVariables } from '../../contract/tools.ts';
import { quote } from '../../ssh/quote.ts';
import { confinement, environment, logging, startScript, surroundings } from './unit.ts';

/** The processes of a release in a colour. */
export function processesIn(manifest: Manifest, colour: Colour): readonly OrderedProcess[] {
  return (manifest.processes ?? []).flatMap((process) =>
    processNames(colour, process.name, process.instances).map((name) => ({
      name: process.name,
      unit: unitName(manifest.app, name),
      unitText: processUnit(manifest, process, colour, name),
      when: process.when,
      exclusive: process.exclusive,
      stopWithin: process.stopWithin,
    })),
  );
}

/** What stands in the release's folder: a script for each process and each job. */
export function processFiles(manifest: Manifest): readonly OrderedFile[] {
  const processes = (manifest.processes ?? []).map(({ name, run }) => ({
    path: `processes/${name}`,
    mode: '0755',
    text: startScript(run),
  }));
  const jobs = (manifest.jobs ?? []).map(({ name, run }) => ({
    path: `jobs/${name}`,
    mode: '0755',
    text: jobScript(manifest, run),
  }));
  return [...processes, ...jobs];
}

/** As the unit of a web process, without a port; it is asked to end, and may finish what it is at. */
function processUnit(manifest: Manifest, process: ManifestProcess, colour: Colour, name: string): string {
  const folder = colourLink(manifest.app, colour);
  const lines = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    '[Unit]',
    `Description=${manifest.app} (${name})`,
    'After=network.target mariadb.service mongod.service',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    ...programLines(manifest, folder),
    `ExecStart=${folder}/processes/${process.name}`,
    'Restart=always',
    'RestartSec=1s',
    // What a signal ends is no failure, however a language's runtime says so.
    'SuccessExitStatus=129 130 131 143',
    `KillSignal=${process.stopSignal}`,
    `TimeoutStopSec=${process.stopWithin}ms`,
    ...logging(manifest.app),
    ...confinement(manifest, process.memory),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}

/** User, folder and environment of a release's programs. */
export function programLines(manifest: Manifest, folder: string): readonly string[] {
  const { app } = manifest;
  const user = systemUser(app);
  const { directory, path } = surroundings(manifest, folder);
  const own = ownVariables(manifest, folder);
  const home = `${STATE_ROOT}/${app}`;
  return [
    `User=${user}`,
    `Group=${user}`,
    `WorkingDirectory=${directory.replaceAll('%', '%%')}`,
    `Environment="PATH=${path.replaceAll('%', '%%')}" "HOME=${home}"`,
    ...(own.length === 0 ? [] : [environment(own)]),
    `EnvironmentFile=${folder}/env`,
  ];
}

/**
 * A job ends in the release that it began in, whichever serves meanwhile: the script goes to the release's
 * own folder, and holds a lock on it, so that it is not removed (see onhost/prune.ts).
 */
function jobScript(manifest: Manifest, run: string): string {
  const { app, release } = manifest;
  const folder = releaseFolder(app, release);
  const lines = [
    '#!/bin/sh',
    `exec 9<${quote(`${folder}/release.json`)}`,
    'flock -s 9',
    `cd ${quote(surroundings(manifest, folder).directory)} || exit`,
    ...pinned(manifest, liveLink(app), folder),
    startScript(run).split('\n').slice(1).join('\n'),
  ];
  return lines.join('\n');
}

/** Variables that lead through a link lead to the folder instead, unless the definition sets them itself. */
function pinned(manifest: Manifest, link: string, folder: string): readonly string[] {
  const all = (at: string) => [`PATH=${surroundings(manifest, at).path}`, ...ownVariables(manifest, at)];
  const fixed = all(folder);
  return all(link).flatMap((variable, index) => {
    const [name, ...value] = variable.split('=');
    const better = (fixed[index] ?? '').split('=').slice(1).join('=');
    const given = value.join('=');
    return given === better ? [] : [`[ "$${name}" = ${quote(given)} ] && ${name}=${quote(better)}`];
  });
}
