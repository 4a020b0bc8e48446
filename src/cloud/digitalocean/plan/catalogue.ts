/**
 * Whether the cloud has what the configuration asks for: sizes, regions, images, room for more droplets.
 * Pure.
 */
import { closest, Failure } from '../../../errors.ts';
import type { MachineSpec } from '../../provider.ts';
import type { CloudAccount, Image, Region, Size } from '../api/answers.ts';
import { imageOf } from './machines.ts';

/** What can be had. */
export interface Catalogue {
  readonly account: CloudAccount;
  readonly regions: readonly Region[];
  readonly sizes: readonly Size[];
  readonly images: readonly Image[];
}

/**
 * Checks machines that are to be made.
 * @param existing how many droplets the account has
 * @throws Failure `usage` for a mistake in pipeline.yml, `cloud` where the account or the cloud has no room.
 */
export function checkCatalogue(wanted: readonly MachineSpec[], catalogue: Catalogue, existing: number): void {
  for (const machine of wanted) {
    const region = checkRegion(machine, catalogue);
    const size = checkSize(machine, region, catalogue);
    checkImage(machine, size, catalogue);
  }
  const { account } = catalogue;
  if (account.status === 'locked') {
    throw new Failure(
      'cloud',
      `The DigitalOcean account is locked${account.status_message ? `: ${account.status_message}` : ''}`,
      {
        next: 'See https://cloud.digitalocean.com, then run the command again.',
      },
    );
  }
  const room = account.droplet_limit - existing;
  if (wanted.length > room) {
    throw new Failure(
      'cloud',
      `The account may have ${account.droplet_limit} droplets and has ${existing}: ` +
        `there is no room for ${wanted.length} more`,
      {
        next:
          'Remove droplets that you no longer need, or ask for a higher limit at ' +
          'https://cloud.digitalocean.com/account/team/droplet_limit_increase.',
      },
    );
  }
}

/** Where a size may stand, for messages: the region's own list and the size's must agree. */
function isSold(size: Size, region: Region): boolean {
  return (
    size.regions.includes(region.slug) && (region.sizes.length === 0 || region.sizes.includes(size.slug))
  );
}

function checkRegion(machine: MachineSpec, { regions }: Catalogue): Region {
  const region = regions.find(({ slug }) => slug === machine.region);
  if (region === undefined) {
    throw unknown(
      machine,
      'region',
      machine.region,
      regions.filter(({ available }) => available).map(({ slug }) => slug),
    );
  }
  if (!region.available) {
    throw new Failure('cloud', `${machine.name}: the region ${region.slug} takes no new droplets now`, {
      host: machine.name,
      next: `Choose another region in pipeline.yml: ${regions
        .filter(({ available }) => available)
        .map(({ slug }) => slug)
        .join(', ')}.`,
    });
  }
  return region;
}

function checkSize(machine: MachineSpec, region: Region, { sizes, regions }: Catalogue): Size {
  const size = sizes.find(({ slug }) => slug === machine.size);
  if (size === undefined) {
    throw unknown(
      machine,
      'size',
      machine.size,
      sizes.filter((other) => other.available).map(({ slug }) => slug),
    );
  }
  const alternatives = sizes
    .filter((other) => other.available && isSold(other, region))
    .filter((other) => other.memory >= size.memory && other.vcpus >= size.vcpus && other.slug !== size.slug)
    .sort((a, b) => a.price_monthly - b.price_monthly)
    .slice(0, 3)
    .map((other) => `${other.slug} ($${other.price_monthly} a month)`);
  const choose = alternatives.length === 0 ? 'another size' : alternatives.join(', ');
  if (!size.available) {
    throw new Failure('cloud', `${machine.name}: the size ${size.slug} is sold out`, {
      host: machine.name,
      next: `Choose ${choose} in pipeline.yml, or try again later.`,
    });
  }
  if (!isSold(size, region)) {
    const there = regions.filter((other) => other.available && isSold(size, other)).map(({ slug }) => slug);
    throw new Failure(
      'usage',
      `${machine.name}: there is no size ${size.slug} in the region ${region.slug}`,
      {
        host: machine.name,
        next:
          `In ${region.slug}, choose ${choose}` +
          `${there.length === 0 ? '' : `; or one of its regions: ${there.join(', ')}`}.`,
      },
    );
  }
  return size;
}

function checkImage(machine: MachineSpec, size: Size, { images }: Catalogue): void {
  const wanted = imageOf(machine);
  const image = images.find(({ id, slug }) => slug === wanted || String(id) === wanted);
  if (image === undefined) {
    throw unknown(
      machine,
      'image',
      wanted,
      images.flatMap(({ slug }) => slug ?? []),
    );
  }
  if (image.regions.length > 0 && !image.regions.includes(machine.region)) {
    throw new Failure(
      'usage',
      `${machine.name}: the image ${wanted} is not in the region ${machine.region}`,
      {
        host: machine.name,
        next: `It is in ${image.regions.join(', ')}. Choose one of them, or another image, in pipeline.yml.`,
      },
    );
  }
  if ((image.min_disk_size ?? 0) > size.disk) {
    throw new Failure(
      'usage',
      `${machine.name}: the image ${wanted} needs ${image.min_disk_size} GB of disk, ` +
        `and ${size.slug} has ${size.disk} GB`,
      {
        host: machine.name,
        next: 'Choose a larger size in pipeline.yml.',
      },
    );
  }
}

function unknown(
  machine: MachineSpec,
  what: 'region' | 'size' | 'image',
  word: string,
  known: readonly string[],
): Failure {
  const guess = closest(word, known);
  const shown = what === 'image' ? known.filter((slug) => /^(debian|ubuntu)/.test(slug)) : known;
  return new Failure('usage', `${machine.name}: DigitalOcean has no ${what} "${word}"`, {
    host: machine.name,
    next:
      `${guess === undefined ? '' : `Did you mean ${guess}? `}` +
      `There are ${shown.slice(0, 30).join(', ')}${shown.length > 30 ? ', …' : ''}.`,
  });
}
