/** The fake's cloud firewalls. */

import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type FakeAccount,
  type FakeFirewall,
  type FakeRule,
  type FakeTarget,
  findTag,
  guardedBy,
  livingDroplets,
} from './account.ts';
import {
  type FakeAnswer,
  type FakeRequest,
  isoTime,
  notFound,
  object,
  page,
  Refused,
  type Route,
  text,
  texts,
  unprocessable,
} from './request.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9.-]+$/;
const MOST_RULES = 50;

export const firewallRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/firewalls',
    handle: (request) =>
      page(
        request,
        'firewalls',
        request.account.firewalls.map((one) => firewallBody(one, request)),
      ),
  },
  {
    method: 'POST',
    path: '/v2/firewalls',
    handle: (request) => {
      const { account, now } = request;
      const firewall: FakeFirewall = {
        id: randomUUID(),
        createdAt: now,
        ...readFirewall(request),
        appliedAt: now + account.delays.firewall,
      };
      unique(account, firewall);
      account.firewalls.push(firewall);
      return { status: 202, body: { firewall: firewallBody(firewall, request) } };
    },
  },
  {
    method: 'GET',
    path: '/v2/firewalls/:id',
    handle: (request) => ({ status: 200, body: { firewall: firewallBody(find(request), request) } }),
  },
  {
    method: 'PUT',
    path: '/v2/firewalls/:id',
    handle: (request) => {
      const firewall = find(request);
      const wanted = readFirewall(request);
      unique(request.account, { ...wanted, id: firewall.id });
      Object.assign(firewall, wanted, { appliedAt: request.now + request.account.delays.firewall });
      return { status: 200, body: { firewall: firewallBody(firewall, request) } };
    },
  },
  { method: 'DELETE', path: '/v2/firewalls/:id', handle: remove },
];

function remove(request: FakeRequest): FakeAnswer {
  const firewall = find(request);
  request.account.firewalls = request.account.firewalls.filter((one) => one !== firewall);
  return { status: 204 };
}

function find({ account, params }: FakeRequest): FakeFirewall {
  const firewall = account.firewalls.find(({ id }) => id === params.id);
  if (firewall === undefined) throw notFound();
  return firewall;
}

function unique(account: FakeAccount, firewall: Pick<FakeFirewall, 'id' | 'name'>): void {
  if (account.firewalls.some(({ id, name }) => id !== firewall.id && name === firewall.name)) {
    throw new Refused(409, 'conflict', 'duplicate name');
  }
}

function readFirewall({
  body: json,
  account,
}: FakeRequest): Omit<FakeFirewall, 'id' | 'createdAt' | 'appliedAt'> {
  const body = object(json);
  const name = text(body.name, 'name');
  if (!NAME.test(name)) throw unprocessable('invalid name');
  const inbound = rules(body.inbound_rules, 'sources', account);
  const outbound = rules(body.outbound_rules, 'destinations', account);
  if (inbound.length + outbound.length === 0) throw unprocessable('must have at least one rule');
  if (inbound.length + outbound.length > MOST_RULES) throw unprocessable('too many rules');
  const dropletIds = Array.isArray(body.droplet_ids) ? (body.droplet_ids as number[]) : [];
  if (dropletIds.length > 10) throw unprocessable('too many droplets: use tags');
  return { name, inbound, outbound, dropletIds, tags: existingTags(body.tags, account) };
}

function existingTags(value: unknown, account: FakeAccount): string[] {
  return texts(value, 'tags').map((tag) => {
    const known = findTag(account, tag);
    if (known === undefined) throw unprocessable(`tag ${tag} does not exist`);
    return known;
  });
}

function rules(value: unknown, side: 'sources' | 'destinations', account: FakeAccount): FakeRule[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw unprocessable('rules must be an array');
  return value.map((item: unknown) => {
    const rule = object(item);
    const protocol = text(rule.protocol, 'protocol');
    if (!['tcp', 'udp', 'icmp'].includes(protocol)) throw unprocessable('invalid protocol');
    const ports = text(rule.ports, 'ports');
    if (!/^(0|\d{1,5}(-\d{1,5})?)$/.test(ports)) throw unprocessable('invalid ports');
    return { protocol, ports, [side]: target(rule[side], account) };
  });
}

function target(value: unknown, account: FakeAccount): FakeTarget {
  const given = object(value);
  const addresses = texts(given.addresses, 'addresses');
  for (const address of addresses) {
    if (isIP(address.split('/')[0] ?? '') === 0) throw unprocessable('invalid address');
  }
  const tags = existingTags(given.tags, account);
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(tags.length > 0 ? { tags } : {}),
    ...(Array.isArray(given.droplet_ids) ? { droplet_ids: given.droplet_ids as number[] } : {}),
  };
}

export function firewallBody(
  firewall: FakeFirewall,
  { account, now }: Pick<FakeRequest, 'account' | 'now'>,
): unknown {
  const waiting = now < firewall.appliedAt;
  const guarded = guardedBy(firewall, livingDroplets(account, now));
  return {
    id: firewall.id,
    name: firewall.name,
    status: waiting ? 'waiting' : 'succeeded',
    inbound_rules: firewall.inbound,
    outbound_rules: firewall.outbound,
    created_at: isoTime(firewall.createdAt),
    droplet_ids: firewall.dropletIds,
    tags: firewall.tags,
    pending_changes: waiting
      ? guarded.map(({ id }) => ({ droplet_id: id, removing: false, status: 'waiting' }))
      : [],
  };
}
