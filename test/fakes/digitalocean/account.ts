/** What the fake remembers: one DigitalOcean account. Times are milliseconds of the fake's own clock. */
import { randomUUID } from 'node:crypto';
import { type FakeCatalogue, fakeCatalogue } from './catalogue.ts';

export interface FakeDroplet {
  id: number;
  name: string;
  size: string;
  region: string;
  image: number;
  tags: string[];
  vpc: string;
  /** Public keys of root. */
  authorizedKeys: string[];
  userData: string;
  features: string[];
  createdAt: number;
  /** In lists and by id from then on. */
  visibleAt: number;
  /** `active` from then on; Infinity while its machine is still being made. */
  activeAt: number;
  addressesAt: number;
  /** An event is under way until then: everything else on it is refused. */
  busyUntil: number;
  locked: boolean;
  power: 'on' | 'off';
  /** Gone from then on. */
  goneAt: number;
  publicAddress: string;
  privateAddress: string;
}

export interface FakeRule {
  protocol: string;
  ports: string;
  sources?: FakeTarget;
  destinations?: FakeTarget;
}

export interface FakeTarget {
  addresses?: string[];
  tags?: string[];
  droplet_ids?: number[];
}

export interface FakeFirewall {
  id: string;
  name: string;
  inbound: FakeRule[];
  outbound: FakeRule[];
  dropletIds: number[];
  tags: string[];
  createdAt: number;
  /** Changes take effect from then on. */
  appliedAt: number;
}

export interface FakeVpc {
  id: string;
  name: string;
  description: string;
  region: string;
  ipRange: string;
  isDefault: boolean;
  createdAt: number;
}

export interface FakeKey {
  id: number;
  fingerprint: string;
  publicKey: string;
  name: string;
  visibleAt: number;
}

export interface FakeReserved {
  ip: string;
  region: string;
  /** Its droplet, which may be gone. */
  droplet: number | null;
  busyUntil: number;
}

export interface FakeAction {
  id: number;
  type: string;
  resourceId: number;
  region: string;
  startedAt: number;
  completedAt: number;
}

/** How long things take in the cloud. Milliseconds of the fake's clock. */
export interface Delays {
  /** Until a droplet is active, and until SSH answers. */
  boot: number;
  /** Until a droplet shows its addresses. */
  addresses: number;
  /** Until something new is in lists and found by its id. */
  visible: number;
  /** Until a firewall has taken effect. */
  firewall: number;
  /** Until a removed droplet is gone. */
  removal: number;
  /** Until a power action is done. */
  power: number;
  /** One answer. */
  latency: number;
  /** Signing in over simulated SSH; what runs over the connection that stands then takes a third of it. */
  ssh: number;
}

export const NO_DELAYS: Delays = {
  boot: 0,
  addresses: 0,
  visible: 0,
  firewall: 0,
  removal: 0,
  power: 0,
  latency: 0,
  ssh: 0,
};
/** As measured by people who use it: a droplet boots in half a minute. */
export const REALISTIC_DELAYS: Delays = {
  ...{ boot: 30_000, addresses: 4_000, visible: 1_000, firewall: 3_000, removal: 5_000, power: 6_000 },
  latency: 150,
  ssh: 250,
};

export interface FakeAccount {
  droplets: FakeDroplet[];
  firewalls: FakeFirewall[];
  vpcs: FakeVpc[];
  keys: FakeKey[];
  /** Names as they were first written. */
  tags: string[];
  actions: FakeAction[];
  reserved: FakeReserved[];
  catalogue: FakeCatalogue;
  dropletLimit: number;
  tagLimit: number;
  status: 'active' | 'warning' | 'locked';
  nextId: number;
  nextAddress: number;
  delays: Delays;
}

/**
 * An account as it is after signing up and making one droplet once: a default network in nyc3, nothing
 * else.
 */
export function fakeAccount(overrides: Partial<FakeAccount> = {}): FakeAccount {
  return {
    droplets: [],
    firewalls: [],
    vpcs: [
      {
        id: randomUUID(),
        name: 'default-nyc3',
        description: '',
        region: 'nyc3',
        ipRange: '10.108.0.0/20',
        isDefault: true,
        createdAt: 0,
      },
    ],
    keys: [],
    tags: [],
    actions: [],
    reserved: [],
    catalogue: fakeCatalogue(),
    dropletLimit: 100,
    tagLimit: 10_000,
    status: 'active',
    nextId: 500_000_001,
    nextAddress: 1,
    delays: NO_DELAYS,
    ...overrides,
  };
}

/** The tag as it was first written, made where there is none. */
export function canonicalTag(account: FakeAccount, name: string): string {
  const existing = findTag(account, name);
  if (existing !== undefined) return existing;
  account.tags.push(name);
  return name;
}

export function findTag(account: FakeAccount, name: string): string | undefined {
  return account.tags.find((tag) => tag.toLowerCase() === name.toLowerCase());
}

/** Droplets that still exist. */
export function livingDroplets(account: FakeAccount, now: number): FakeDroplet[] {
  account.droplets = account.droplets.filter(({ goneAt }) => goneAt > now);
  return account.droplets;
}

export function dropletStatus(droplet: FakeDroplet, now: number): 'new' | 'active' | 'off' {
  if (now < droplet.activeAt) return 'new';
  return droplet.power === 'on' ? 'active' : 'off';
}

/** Droplets that a firewall guards. */
export function guardedBy(firewall: FakeFirewall, droplets: readonly FakeDroplet[]): FakeDroplet[] {
  return droplets.filter(
    ({ id, tags }) => firewall.dropletIds.includes(id) || firewall.tags.some((tag) => tags.includes(tag)),
  );
}
