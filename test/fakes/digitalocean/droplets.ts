/** The fake's droplets: made, listed, acted on, removed, with the API's own rules. */
import {
  canonicalTag,
  dropletStatus,
  type FakeAccount,
  type FakeDroplet,
  findTag,
  guardedBy,
  livingDroplets,
} from './account.ts';
import { firewallBody } from './firewalls.ts';
import {
  type FakeAnswer,
  type FakeRequest,
  isoTime,
  notFound,
  object,
  page,
  type Route,
  text,
  texts,
  unprocessable,
} from './request.ts';
import { checkTag } from './tags.ts';
import { nextAddress } from './vpcs.ts';

const NAME = /^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/;
const MOST_NAMES = 10;
const USER_DATA_BYTES = 64 * 1024;

export const dropletRoutes: readonly Route[] = [
  { method: 'GET', path: '/v2/droplets', handle: list },
  { method: 'POST', path: '/v2/droplets', handle: create },
  {
    method: 'GET',
    path: '/v2/droplets/:id',
    handle: (request) => ({ status: 200, body: { droplet: dropletBody(visible(request), request) } }),
  },
  { method: 'DELETE', path: '/v2/droplets/:id', handle: remove },
  {
    method: 'GET',
    path: '/v2/droplets/:id/firewalls',
    handle: (request) => {
      const droplet = visible(request);
      const guarding = request.account.firewalls.filter(
        (firewall) => firewall.appliedAt <= request.now && guardedBy(firewall, [droplet]).length > 0,
      );
      return page(
        request,
        'firewalls',
        guarding.map((firewall) => firewallBody(firewall, request)),
      );
    },
  },
  { method: 'POST', path: '/v2/droplets/:id/actions', handle: act },
  { method: 'GET', path: '/v2/actions/:id', handle: readAction },
];

function list(request: FakeRequest): FakeAnswer {
  const { query, account, now } = request;
  const tag = query.get('tag_name');
  const name = query.get('name');
  if (tag !== null && (name !== null || query.get('type') !== null)) {
    throw unprocessable('tag_name can not be combined with name or type.');
  }
  const found = livingDroplets(account, now).filter(
    (droplet) =>
      droplet.visibleAt <= now &&
      (tag === null || droplet.tags.some((other) => other.toLowerCase() === tag.toLowerCase())) &&
      (name === null || droplet.name.toLowerCase() === name.toLowerCase()),
  );
  return page(
    request,
    'droplets',
    found.map((droplet) => dropletBody(droplet, request)),
  );
}

function create(request: FakeRequest): FakeAnswer {
  const { account, now, machines } = request;
  const body = object(request.body);
  const multiple = body.names !== undefined;
  const names = multiple ? texts(body.names, 'names') : [text(body.name, 'name')];
  if (names.length === 0 || names.length > MOST_NAMES)
    throw unprocessable(`names must hold 1 to ${MOST_NAMES} names.`);
  for (const name of names) {
    if (!NAME.test(name) || name.length > 255)
      throw unprocessable('Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)');
  }
  const size = account.catalogue.sizes.find(({ slug }) => slug === body.size);
  if (size === undefined) throw unprocessable('You specified an invalid size for Droplet creation.');
  const region = account.catalogue.regions.find(({ slug }) => slug === body.region);
  if (region === undefined) throw unprocessable('You specified an invalid region for Droplet creation.');
  if (!region.available || !size.available || !size.regions.includes(region.slug)) {
    throw unprocessable('Size is not available in this region.');
  }
  const image = account.catalogue.images.find(({ id, slug }) => slug === body.image || id === body.image);
  if (image === undefined) throw unprocessable('You specified an invalid image for Droplet creation.');
  const keys = (Array.isArray(body.ssh_keys) ? body.ssh_keys : []).map((wanted: unknown) => {
    const key = account.keys.find(
      ({ id, fingerprint }) => id === wanted || fingerprint === wanted || String(id) === wanted,
    );
    if (key === undefined || key.visibleAt > now)
      throw unprocessable(`${String(wanted)} are invalid key identifiers for Droplet creation.`);
    return key;
  });
  const userData =
    body.user_data === undefined || body.user_data === null ? '' : text(body.user_data, 'user_data');
  if (Buffer.byteLength(userData) > USER_DATA_BYTES) throw unprocessable('User data may not exceed 64 KiB.');
  const vpc = account.vpcs.find(({ id, isDefault, region: where }) =>
    body.vpc_uuid === undefined ? isDefault && where === region.slug : id === body.vpc_uuid,
  );
  if (vpc === undefined || vpc.region !== region.slug)
    throw unprocessable('The VPC does not exist in this region.');
  const living = livingDroplets(account, now).length;
  if (living + names.length > account.dropletLimit) {
    throw unprocessable('creating this/these droplet(s) will exceed your droplet limit');
  }
  const tags = texts(body.tags, 'tags');
  for (const tag of tags) checkTag(account, tag);
  const canonical = tags.map((tag) => canonicalTag(account, tag));
  const droplets = names.map((name): FakeDroplet => {
    const id = account.nextId++;
    const droplet: FakeDroplet = {
      ...{ id, name, userData },
      size: size.slug,
      region: region.slug,
      image: image.id,
      tags: [...canonical],
      vpc: vpc.id,
      authorizedKeys: keys.map(({ publicKey }) => publicKey),
      features: [...(body.monitoring === true ? ['monitoring'] : []), 'private_networking'],
      createdAt: now,
      visibleAt: now + account.delays.visible,
      activeAt: now + account.delays.boot,
      addressesAt: now + Math.max(account.delays.addresses, account.delays.visible),
      busyUntil: now + account.delays.boot,
      locked: false,
      power: 'on',
      goneAt: Number.POSITIVE_INFINITY,
      publicAddress: nextAddress(account, 'public'),
      privateAddress: nextAddress(account, vpc),
    };
    account.droplets.push(droplet);
    machines.made(droplet);
    return droplet;
  });
  const actions = droplets.map((droplet) => ({
    id: addAction(request, droplet, 'create', account.delays.boot),
    rel: 'create',
  }));
  const links = {
    actions: actions.map((action) => ({ ...action, href: `${request.origin}/v2/actions/${action.id}` })),
  };
  const bodies = droplets.map((droplet) => dropletBody(droplet, request));
  return { status: 202, body: multiple ? { droplets: bodies, links } : { droplet: bodies[0], links } };
}

function remove(request: FakeRequest): FakeAnswer {
  const droplet = visible(request);
  const { account, now, machines } = request;
  if (droplet.goneAt !== Number.POSITIVE_INFINITY) throw notFound();
  idle(droplet, now);
  droplet.goneAt = now + account.delays.removal;
  machines.removed(droplet);
  return { status: 204 };
}

function act(request: FakeRequest): FakeAnswer {
  const droplet = visible(request);
  const { account, now, machines } = request;
  const body = object(request.body);
  const type = text(body.type, 'type');
  idle(droplet, now);
  const { power } = account.delays;
  switch (type) {
    case 'power_on':
      if (droplet.power === 'on') throw unprocessable('Droplet is already powered on.');
      droplet.power = 'on';
      droplet.activeAt = now + power;
      break;
    case 'power_off':
    case 'shutdown':
      droplet.power = 'off';
      break;
    case 'reboot':
    case 'power_cycle':
      break;
    case 'rename': {
      const name = text(body.name, 'name');
      if (!NAME.test(name))
        throw unprocessable('Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)');
      droplet.name = name;
      break;
    }
    case 'resize': {
      const size = account.catalogue.sizes.find(({ slug }) => slug === body.size);
      if (size === undefined) throw unprocessable('You specified an invalid size.');
      if (droplet.power === 'on') throw unprocessable('Droplet must be powered off to resize.');
      droplet.size = size.slug;
      break;
    }
    default:
      throw unprocessable(`${type} is not an action that this fake knows.`);
  }
  machines.acted(droplet, type);
  const id = addAction(request, droplet, type, power);
  droplet.busyUntil = now + power;
  return { status: 201, body: { action: actionBody(account, id, now) } };
}

export function addAction(
  { account, now }: FakeRequest,
  droplet: FakeDroplet,
  type: string,
  takes: number,
): number {
  const id = account.nextId++;
  account.actions.push({
    id,
    type,
    resourceId: droplet.id,
    region: droplet.region,
    startedAt: now,
    completedAt: now + takes,
  });
  return id;
}

function readAction({ account, params, now }: FakeRequest): FakeAnswer {
  return { status: 200, body: { action: actionBody(account, Number(params.id), now) } };
}

export function actionBody(account: FakeAccount, id: number, now: number): unknown {
  const action = account.actions.find((one) => one.id === id);
  if (action === undefined) throw notFound();
  const done = action.completedAt <= now;
  return {
    id,
    status: done ? 'completed' : 'in-progress',
    type: action.type,
    started_at: isoTime(action.startedAt),
    completed_at: done ? isoTime(action.completedAt) : null,
    resource_id: action.resourceId,
    resource_type: 'droplet',
    region: account.catalogue.regions.find(({ slug }) => slug === action.region),
    region_slug: action.region,
  };
}

function idle(droplet: FakeDroplet, now: number): void {
  if (droplet.busyUntil > now || now < droplet.activeAt || droplet.locked) {
    throw unprocessable('Droplet already has a pending event.');
  }
}

/** The droplet of the path, as soon as the API shows it. */
function visible({ account, params, now }: FakeRequest): FakeDroplet {
  const droplet = livingDroplets(account, now).find(({ id }) => id === Number(params.id));
  if (droplet === undefined || droplet.visibleAt > now) throw notFound();
  return droplet;
}

export function dropletBody(
  droplet: FakeDroplet,
  { account, now }: Pick<FakeRequest, 'account' | 'now'>,
): unknown {
  const size = account.catalogue.sizes.find(({ slug }) => slug === droplet.size);
  const v4 = [
    { ip_address: droplet.privateAddress, netmask: '255.255.240.0', gateway: '10.108.0.1', type: 'private' },
    { ip_address: droplet.publicAddress, netmask: '255.254.0.0', gateway: '198.18.0.1', type: 'public' },
  ];
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size?.memory,
    vcpus: size?.vcpus,
    disk: size?.disk,
    disk_info: [{ type: 'local', size: { amount: size?.disk, unit: 'gib' } }],
    locked: droplet.locked || now < Math.min(droplet.busyUntil, droplet.activeAt),
    status: dropletStatus(droplet, now),
    kernel: null,
    created_at: isoTime(droplet.createdAt),
    features: droplet.features,
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: account.catalogue.images.find(({ id }) => id === droplet.image),
    volume_ids: [],
    size,
    size_slug: droplet.size,
    networks: { v4: now < droplet.addressesAt ? [] : v4, v6: [] },
    region: account.catalogue.regions.find(({ slug }) => slug === droplet.region),
    tags: droplet.tags.map((tag) => findTag(account, tag) ?? tag),
    vpc_uuid: droplet.vpc,
  };
}
