/** The fake's tags. */
import { canonicalTag, type FakeAccount, findTag, livingDroplets } from './account.ts';
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

const TAG = /^[a-zA-Z0-9_\-:]+$/;

export const tagRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/tags',
    handle: (request) =>
      page(
        request,
        'tags',
        request.account.tags.map((name) => tagBody(name, request)),
      ),
  },
  {
    method: 'POST',
    path: '/v2/tags',
    handle: (request) => {
      const name = text(object(request.body).name, 'name');
      checkTag(request.account, name);
      return { status: 201, body: { tag: tagBody(canonicalTag(request.account, name), request) } };
    },
  },
  {
    method: 'GET',
    path: '/v2/tags/:name',
    handle: (request) => ({ status: 200, body: { tag: tagBody(find(request), request) } }),
  },
  {
    method: 'DELETE',
    path: '/v2/tags/:name',
    handle: (request) => {
      const name = find(request);
      const { account } = request;
      account.tags = account.tags.filter((tag) => tag !== name);
      for (const thing of [...account.droplets, ...account.firewalls])
        thing.tags = thing.tags.filter((tag) => tag !== name);
      return { status: 204 };
    },
  },
  { method: 'POST', path: '/v2/tags/:name/resources', handle: (request) => assign(request, true) },
  { method: 'DELETE', path: '/v2/tags/:name/resources', handle: (request) => assign(request, false) },
];

/** @throws Refused */
export function checkTag(account: FakeAccount, name: string): void {
  if (!TAG.test(name) || name.length > 255) throw unprocessable(`invalid tag name: ${name.slice(0, 40)}`);
  if (findTag(account, name) === undefined && account.tags.length >= account.tagLimit)
    throw unprocessable('Tag limit exceeded for this account.');
}

function find({ account, params }: FakeRequest): string {
  const name = findTag(account, params.name ?? '');
  if (name === undefined) throw notFound();
  return name;
}

function assign(request: FakeRequest, on: boolean): FakeAnswer {
  const name = find(request);
  const { resources } = object(request.body);
  if (!Array.isArray(resources)) throw unprocessable('resources must be an array.');
  const droplets = resources.map((item: unknown) => {
    const { resource_id: id, resource_type: type } = object(item);
    if (type !== 'droplet') throw unprocessable('This fake tags droplets alone.');
    const droplet = livingDroplets(request.account, request.now).find((one) => String(one.id) === id);
    if (droplet === undefined) throw notFound();
    return droplet;
  });
  for (const droplet of droplets) {
    droplet.tags = droplet.tags.filter((tag) => tag !== name);
    if (on) droplet.tags.push(name);
  }
  return { status: 204 };
}

function tagBody(name: string, { account, now, origin }: FakeRequest): unknown {
  const tagged = livingDroplets(account, now).filter(({ tags }) => tags.includes(name));
  const last = tagged.at(-1);
  const none = { count: 0 };
  const counted = {
    count: tagged.length,
    ...(last === undefined ? {} : { last_tagged_uri: `${origin}/v2/droplets/${last.id}` }),
  };
  return {
    name,
    resources: {
      ...counted,
      droplets: counted,
      images: none,
      volumes: none,
      volume_snapshots: none,
      databases: none,
    },
  };
}
