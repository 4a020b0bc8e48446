/** The fake's reserved addresses: a droplet that goes leaves its own to nobody. */
import { type FakeReserved, livingDroplets } from './account.ts';
import { actionBody, addAction, dropletBody } from './droplets.ts';
import {
  type FakeAnswer,
  type FakeRequest,
  notFound,
  object,
  page,
  type Route,
  text,
  unprocessable,
} from './request.ts';

export const reservedRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/reserved_ips',
    handle: (request) =>
      page(
        request,
        'reserved_ips',
        request.account.reserved.map((one) => reservedBody(one, request)),
      ),
  },
  {
    method: 'GET',
    path: '/v2/reserved_ips/:ip',
    handle: (request) => ({ status: 200, body: { reserved_ip: reservedBody(find(request), request) } }),
  },
  { method: 'POST', path: '/v2/reserved_ips/:ip/actions', handle: assign },
];

function find({ account, params }: FakeRequest): FakeReserved {
  const found = account.reserved.find(({ ip }) => ip === params.ip);
  if (found === undefined) throw notFound();
  return found;
}

function assign(request: FakeRequest): FakeAnswer {
  const { account, now } = request;
  const reserved = find(request);
  const body = object(request.body);
  if (text(body.type, 'type') !== 'assign') throw unprocessable('You specified an invalid action.');
  const droplet = livingDroplets(account, now).find(({ id }) => id === body.droplet_id);
  if (droplet === undefined || droplet.region !== reserved.region)
    throw unprocessable('The Droplet cannot have this address.');
  if (now < reserved.busyUntil) throw unprocessable('The address has a pending event.');
  if (now < droplet.activeAt) throw unprocessable('Droplet already has a pending event.');
  reserved.droplet = droplet.id;
  reserved.busyUntil = now + account.delays.power;
  const id = addAction(request, droplet, 'assign_ip', account.delays.power);
  return { status: 201, body: { action: actionBody(account, id, now) } };
}

function reservedBody({ ip, region, droplet: id, busyUntil }: FakeReserved, request: FakeRequest): unknown {
  const { account, now } = request;
  const droplet = livingDroplets(account, now).find((one) => one.id === id);
  const locked = now < busyUntil;
  return {
    ip,
    region: account.catalogue.regions.find(({ slug }) => slug === region),
    droplet: droplet === undefined || locked ? null : dropletBody(droplet, request),
    locked,
    project_id: '746c6152-2fa2-11ed-92d3-27aaa54e4988',
  };
}
