/** What the fake cloud sells: a part of DigitalOcean's list, in the API's own form. */

/** Prices in US dollars a month; memory in MB, disk in GB. */
const SIZES = [
  ['s-1vcpu-512mb-10gb', 512, 1, 10, 0.5, 4],
  ['s-1vcpu-1gb', 1024, 1, 25, 1, 6],
  ['s-1vcpu-2gb', 2048, 1, 50, 2, 12],
  ['s-2vcpu-2gb', 2048, 2, 60, 3, 18],
  ['s-2vcpu-4gb', 4096, 2, 80, 4, 24],
  ['s-4vcpu-8gb', 8192, 4, 160, 5, 48],
  ['s-8vcpu-16gb', 16_384, 8, 320, 6, 96],
  ['c-2', 4096, 2, 25, 4, 42],
] as const;

const REGIONS = [
  ['nyc1', 'New York 1'],
  ['nyc2', 'New York 2'],
  ['nyc3', 'New York 3'],
  ['sfo2', 'San Francisco 2'],
  ['sfo3', 'San Francisco 3'],
  ['ams3', 'Amsterdam 3'],
  ['fra1', 'Frankfurt 1'],
  ['lon1', 'London 1'],
  ['sgp1', 'Singapore 1'],
  ['tor1', 'Toronto 1'],
  ['blr1', 'Bangalore 1'],
  ['syd1', 'Sydney 1'],
] as const;

const IMAGES = [
  ['debian-12-x64', 'Debian', '12 x64'],
  ['debian-13-x64', 'Debian', '13 x64'],
  ['ubuntu-22-04-x64', 'Ubuntu', '22.04 (LTS) x64'],
  ['ubuntu-24-04-x64', 'Ubuntu', '24.04 (LTS) x64'],
  ['fedora-42-x64', 'Fedora', '42 x64'],
  ['rockylinux-9-x64', 'Rocky Linux', '9 x64'],
] as const;

const FEATURES = ['backups', 'ipv6', 'metadata', 'install_agent', 'storage', 'image_transfer'];

export interface FakeSize {
  slug: string;
  memory: number;
  vcpus: number;
  disk: number;
  transfer: number;
  price_monthly: number;
  price_hourly: number;
  regions: string[];
  available: boolean;
  description: string;
}

export interface FakeRegion {
  slug: string;
  name: string;
  features: string[];
  available: boolean;
  sizes: string[];
}

export interface FakeImage {
  id: number;
  slug: string | null;
  name: string;
  distribution: string;
  type: string;
  public: boolean;
  regions: string[];
  created_at: string;
  min_disk_size: number;
  size_gigabytes: number;
  description: string;
  tags: string[];
  status: string;
  error_message: string;
}

export interface FakeCatalogue {
  sizes: FakeSize[];
  regions: FakeRegion[];
  images: FakeImage[];
}

/** A fresh copy, to be changed freely: a size that is sold out, a region that closes. */
export function fakeCatalogue(): FakeCatalogue {
  const slugs = REGIONS.map(([slug]) => slug);
  return {
    sizes: SIZES.map(([slug, memory, vcpus, disk, transfer, price]) => ({
      ...{ slug, memory, vcpus, disk, transfer },
      price_monthly: price,
      price_hourly: Math.round((price / 672) * 100_000) / 100_000,
      // The processors for larger sizes are not everywhere.
      regions: slug === 'c-2' ? slugs.filter((region) => region !== 'nyc2') : [...slugs],
      available: true,
      description: slug.startsWith('c-') ? 'CPU-Optimized' : 'Basic',
    })),
    regions: REGIONS.map(([slug, name]) => ({
      ...{ slug, name },
      features: [...FEATURES],
      available: slug !== 'nyc2' && slug !== 'sfo2',
      sizes: SIZES.map(([size]) => size).filter((size) => size !== 'c-2' || slug !== 'nyc2'),
    })),
    images: IMAGES.map(([slug, distribution, name], index) => ({
      id: 195_932_981 + index,
      ...{ slug, name, distribution },
      type: 'base',
      public: true,
      regions: [...slugs],
      created_at: '2025-06-16T00:00:00Z',
      min_disk_size: 7,
      size_gigabytes: 0.68,
      description: `${distribution} ${name}`,
      tags: [],
      status: 'available',
      error_message: '',
    })),
  };
}
