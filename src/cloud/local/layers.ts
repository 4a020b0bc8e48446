/**
 * What some hosts have from their first boot on beside the base image: read-only between it and their own
 * disk, made once for all that want the same.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { toolFailure } from '../../process/tool.ts';
import { withValues } from '../../ssh/script.ts';
import type { MachineSpec, PlacedProgram } from '../provider.ts';
import { ensureImage, ifDiskFull, type Making, rootOf } from './cache.ts';
import { lay } from './disk.ts';
import type { HandedFile } from './handed.ts';
import program from './layer.sh' with { type: 'text' };
import { run } from './run.ts';
import type { LocalSettings } from './settings.ts';

export interface Layer {
  /** In the cache. */
  readonly directory: string;
  /** Folder of the base image that it lies on. */
  readonly base: string;
  /** Debian packages, as installed and never started. */
  readonly packages: readonly string[];
  readonly programs: readonly PlacedProgram[];
}

/** Bytes that must be free before one is made. */
const ROOM = 300 * 2 ** 20;

/** Keeps packages from starting their services: they would run on this machine. */
const NO_SERVICES: HandedFile = {
  path: '/usr/sbin/policy-rc.d',
  content: '#!/bin/sh\nexit 101\n',
  mode: 0o755,
};

/** The layers of a machine on a base image, topmost first. Packages and programs come and go apart. */
export function layersOn(
  settings: LocalSettings,
  base: string,
  { preinstalled = [], programs = [] }: Pick<MachineSpec, 'preinstalled' | 'programs'>,
): Layer[] {
  const wanted = [
    { packages: [], programs },
    { packages: preinstalled, programs: [] },
  ];
  return wanted
    .filter(({ packages, programs }) => packages.length + programs.length > 0)
    .map((content) => ({ directory: directoryOf(settings, base, content), base, ...content }));
}

function directoryOf(
  settings: LocalSettings,
  base: string,
  { packages, programs }: Pick<Layer, 'packages' | 'programs'>,
): string {
  const everything = JSON.stringify([base, packages, programs, program]);
  const name = createHash('sha256').update(everything).digest('hex').slice(0, 16);
  return join(settings.cacheDirectory, 'layer', name);
}

/**
 * Makes the layer unless it is there. `handed`: what apt needs inside, as hosts are handed it; `keep`: images
 * that are wanted now.
 * @throws Failure kind `usage` where the disk is full, kind `host` where a package cannot be installed.
 */
export async function ensureLayer(
  context: Context,
  settings: LocalSettings,
  layer: Layer,
  handed: readonly HandedFile[],
  keep: readonly string[],
): Promise<void> {
  const { directory, base, packages, programs } = layer;
  const names = [...packages, ...programs.map(({ to }) => basename(to))].join(', ');
  const making: Making = {
    stage: 'image layer',
    name: names,
    takes: 'a moment, once',
    room: ROOM,
    make: async (workshop, lock) => {
      const own = join(workshop, 'handed');
      for (const name of ['image/rootfs', 'root', 'work', 'handed']) {
        await mkdir(join(workshop, name), { recursive: true });
      }
      for (const file of [...handed, NO_SERVICES]) await lay(own, file);
      const script = withValues(program, {
        ...{ workshop, directory, packages },
        lower: `${own}:${rootOf(base)}`,
        programs: programs.flatMap(({ from, to }) => [from, to]),
      });
      const args = ['--mount', '--pid', '--fork', '--propagation', 'private', 'bash', '-c', script];
      const result = await run(context, 'unshare', args, { lock });
      if (result.exitCode === 0) return;
      throw (
        (await ifDiskFull(directory, making, result)) ??
        cannotInstall(names, toolFailure(making.stage, 'apt-get', result))
      );
    },
  };
  await ensureImage(context, settings, directory, making, keep);
}

function cannotInstall(names: string, cause: Failure): Failure {
  return new Failure('host', `${names} cannot be installed into an image for local hosts.`, {
    step: 'image layer',
    output: cause.output,
    next: "The archives in this machine's /etc/apt must be within its reach. Then run the command again.",
    cause,
  });
}
