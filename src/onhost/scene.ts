/** What every step works with: the host, the release and its place, and who is told. */

import { appRoot, colourLink, releaseFolder, settingsFolder } from '../contract/places.ts';
import type { Placed, ReleaseEvent, ReleaseStep } from '../contract/release.ts';
import { Failure } from '../errors.ts';
import type { Host } from './host.ts';
import { Interrupted } from './interrupt.ts';

export type Tell = (event: ReleaseEvent) => void;

/** A release in its colour, on a host. */
export interface Scene {
  readonly host: Host;
  readonly tell: Tell;
  readonly placed: Placed;
  /** `/srv/APP`. */
  readonly root: string;
  /** The release's folder. */
  readonly folder: string;
  /** The application's settings, which outlive releases. */
  readonly settings: string;
  /** The link that its units go through. */
  readonly link: string;
  /** When its processes were started (a journalTime): its log is read from then on. */
  started: string;
}

export function sceneOf(host: Host, placed: Placed, tell: Tell): Scene {
  const { app, release } = placed.manifest;
  return {
    host,
    tell,
    placed,
    root: appRoot(app),
    folder: releaseFolder(app, release),
    settings: settingsFolder(app),
    link: colourLink(app, placed.colour),
    started: host.journalTime(),
  };
}

/** Ends a step: the rest of a sentence, and the lines that explain it. */
export function failed(step: ReleaseStep, detail: string, output: readonly string[] = []): Failure {
  return new Failure('host', detail, { step, output });
}

/** Turns whatever a step threw into its failure. */
export async function within<T>(step: ReleaseStep, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure || error instanceof Interrupted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('host', `${what}: ${why}`, { step, cause: error });
  }
}

export function sayer(tell: Tell, step: ReleaseStep) {
  const say =
    (event: 'started' | 'running' | 'done' | 'skipped') =>
    (detail = '') => {
      tell({ event, step, detail });
    };
  return { started: say('started'), running: say('running'), done: say('done'), skipped: say('skipped') };
}
