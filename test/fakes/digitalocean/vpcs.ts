/** The fake's private networks. */
import { randomUUID } from 'node:crypto';
import { type FakeAccount, type FakeVpc, livingDroplets } from './account.ts';
import {
  type FakeAnswer,
  type FakeRequest,
  forbidden,
  isoTime,
  notFound,
  object,
  page,
  type Route,
  text,
  unprocessable,
} from './request.ts';

const NAME = /^[a-zA-Z0-9\-.]+$/;

export const vpcRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/vpcs',
    handle: (request) => page(request, 'vpcs', request.account.vpcs.map(vpcBody)),
  },
  { method: 'POST', path: '/v2/vpcs', handle: create },
  {
    method: 'GET',
    path: '/v2/vpcs/:id',
    handle: (request) => ({ status: 200, body: { vpc: vpcBody(find(request)) } }),
  },
  {
    method: 'GET',
    path: '/v2/vpcs/:id/members',
    handle: (request) =>
      page(
        request,
        'members',
        members(request, find(request)).map(({ id, name, createdAt }) => ({
          urn: `do:droplet:${id}`,
          name,
          created_at: isoTime(createdAt),
        })),
      ),
  },
  {
    method: 'DELETE',
    path: '/v2/vpcs/:id',
    handle: (request) => {
      const vpc = find(request);
      if (vpc.isDefault) throw forbidden('Can not delete default VPCs');
      if (members(request, vpc).length > 0) throw forbidden('Can not delete VPC with members');
      request.account.vpcs = request.account.vpcs.filter((one) => one !== vpc);
      return { status: 204 };
    },
  },
];

function create(request: FakeRequest): FakeAnswer {
  const { account, now } = request;
  const body = object(request.body);
  const name = text(body.name, 'name');
  const region = text(body.region, 'region');
  const description = body.description === undefined ? '' : text(body.description, 'description');
  if (!NAME.test(name))
    throw unprocessable('name may only contain alphanumeric characters, dashes, and periods');
  if (description.length > 255) throw unprocessable('description is too long');
  if (account.vpcs.some((vpc) => vpc.name === name))
    throw unprocessable('There is already a VPC with this name.');
  if (!account.catalogue.regions.some(({ slug }) => slug === region)) throw unprocessable('invalid region');
  const vpc: FakeVpc = {
    ...{ name, region, description },
    id: randomUUID(),
    ipRange: body.ip_range === undefined ? freeRange(account) : text(body.ip_range, 'ip_range'),
    // The first network of a region is its default for ever.
    isDefault: !account.vpcs.some((other) => other.region === region),
    createdAt: now,
  };
  account.vpcs.push(vpc);
  return { status: 201, body: { vpc: vpcBody(vpc) } };
}

function freeRange(account: FakeAccount): string {
  let number = 116;
  while (account.vpcs.some(({ ipRange }) => ipRange.startsWith(`10.${number}.`))) number++;
  return `10.${number}.0.0/20`;
}

/** Addresses from a range for benchmarks (RFC 2544), which belongs to nobody, or from a network's own. */
export function nextAddress(account: FakeAccount, from: 'public' | FakeVpc): string {
  const number = from === 'public' ? account.nextAddress++ : account.nextAddress;
  const [first, second] = from === 'public' ? [198, 18] : from.ipRange.split('.');
  return `${first}.${second}.${Math.floor(number / 250)}.${(number % 250) + 2}`;
}

function find({ account, params }: FakeRequest): FakeVpc {
  const vpc = account.vpcs.find(({ id }) => id === params.id);
  if (vpc === undefined) throw notFound();
  return vpc;
}

function members({ account, now }: FakeRequest, vpc: FakeVpc) {
  return livingDroplets(account, now).filter((droplet) => droplet.vpc === vpc.id);
}

function vpcBody(vpc: FakeVpc): unknown {
  return {
    id: vpc.id,
    urn: `do:vpc:${vpc.id}`,
    name: vpc.name,
    description: vpc.description,
    region: vpc.region,
    ip_range: vpc.ipRange,
    default: vpc.isDefault,
    created_at: isoTime(vpc.createdAt),
  };
}
