/** Which systems local hosts can be made of, by the names that clouds give them. Pure. */
import { Failure } from '../../errors.ts';

/** A release of Debian or Ubuntu. */
export interface SystemRelease {
  readonly distribution: 'debian' | 'ubuntu';
  /** As its archive is divided, e.g. `trixie`. */
  readonly codename: string;
}

/** By DigitalOcean's slug, without the processor. */
const RELEASES: Readonly<Record<string, SystemRelease>> = {
  'debian-12': { distribution: 'debian', codename: 'bookworm' },
  'debian-13': { distribution: 'debian', codename: 'trixie' },
  'ubuntu-22-04': { distribution: 'ubuntu', codename: 'jammy' },
  'ubuntu-24-04': { distribution: 'ubuntu', codename: 'noble' },
};

/**
 * The release that an image's name means: `debian-13-x64` as DigitalOcean says, or `debian-13`.
 * @throws Failure kind `usage` for a name that local hosts do not know.
 */
export function releaseOf(image: string): SystemRelease {
  const release = RELEASES[image.replace(/-x64$/, '').replaceAll('.', '-')];
  if (release !== undefined) return release;
  const known = Object.keys(RELEASES).map((name) => `${name}-x64`);
  throw new Failure('usage', `Local hosts have no image ${JSON.stringify(image)}.`, {
    next: `In pipeline.yml, set \`image:\` to ${known.slice(0, -1).join(', ')} or ${known.at(-1)}.`,
  });
}

/** Its name for people, e.g. `debian-13`; the codename where it has none here. */
export function imageName(codename: string): string {
  return Object.entries(RELEASES).find(([, release]) => release.codename === codename)?.[0] ?? codename;
}

/** Whether it is Ubuntu's, which keeps many servers in a component of its own. */
export function isUbuntu(codename: string): boolean {
  return Object.values(RELEASES).some(
    (release) => release.codename === codename && release.distribution === 'ubuntu',
  );
}
