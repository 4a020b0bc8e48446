/** Which release was in a colour when: what a host noted at each start. Pure. */
import type { Colour } from '../contract/places.ts';

export interface Placement {
  /** ms since 1970. */
  readonly at: number;
  readonly colour: Colour;
  readonly release: string;
}

/** Reads a line `SECONDS COLOUR RELEASE`; undefined: it is none. */
export function parsePlacement(text: string): Placement | undefined {
  const [seconds = '', colour, release = ''] = text.trim().split(/\s+/);
  const at = Number(seconds) * 1000;
  if ((colour !== 'blue' && colour !== 'green') || release === '' || !(at > 0)) return undefined;
  return { at, colour, release };
}

/** The colour of an instance or process: `blue`, `green-2`, `blue-worker`; undefined: it has none. */
export function colourOfSource(source: string): Colour | undefined {
  const colour = /^(blue|green)(?:-|$)/.exec(source)?.[1];
  return colour === 'blue' || colour === 'green' ? colour : undefined;
}

/** The release that an instance was of at a time; empty: nobody noted it. */
export function releaseAt(placements: readonly Placement[], source: string, at: number): string {
  const colour = colourOfSource(source);
  let found: Placement | undefined;
  for (const one of placements) {
    if (one.colour === colour && one.at <= at && (found === undefined || one.at >= found.at)) found = one;
  }
  return found?.release ?? '';
}
