/** The fake's account keys, and the account itself. */
import { createHash } from 'node:crypto';
import type { FakeKey } from './account.ts';
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

export const accountRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/account',
    handle: ({ account }) => ({
      status: 200,
      body: {
        account: {
          droplet_limit: account.dropletLimit,
          floating_ip_limit: 3,
          email: 'someone@example.com',
          name: 'Someone',
          uuid: 'b6fr89dbf6d9156cace5f3c78dc9851d957381ef',
          email_verified: true,
          status: account.status,
          status_message: '',
          team: { uuid: '5df3e3004a17e242b7c20ca6c9fc25b701a47ece', name: 'My Team' },
        },
      },
    }),
  },
  {
    method: 'GET',
    path: '/v2/account/keys',
    handle: (request) =>
      page(
        request,
        'ssh_keys',
        request.account.keys.filter(({ visibleAt }) => visibleAt <= request.now).map(keyBody),
      ),
  },
  { method: 'POST', path: '/v2/account/keys', handle: create },
  {
    method: 'GET',
    path: '/v2/account/keys/:id',
    handle: (request) => ({ status: 200, body: { ssh_key: keyBody(find(request)) } }),
  },
  {
    method: 'DELETE',
    path: '/v2/account/keys/:id',
    handle: (request) => {
      const key = find(request);
      request.account.keys = request.account.keys.filter((one) => one !== key);
      return { status: 204 };
    },
  },
];

function create({ account, body, now }: FakeRequest): FakeAnswer {
  const { name, public_key: line } = object(body);
  const publicKey = text(line, 'public_key').trim();
  const [type, base64] = publicKey.split(/\s+/);
  const blob = Buffer.from(base64 ?? '', 'base64');
  if (!/^(ssh-(ed25519|rsa)|ecdsa-)/.test(type ?? '') || blob.length < 40) {
    throw unprocessable('Key invalid, key should be of the format `type key [comment]`');
  }
  const fingerprint = (createHash('md5').update(blob).digest('hex').match(/../g) ?? []).join(':');
  if (account.keys.some((key) => key.fingerprint === fingerprint))
    throw unprocessable('SSH Key is already in use on your account');
  const key: FakeKey = {
    id: account.nextId++,
    fingerprint,
    publicKey,
    name: text(name, 'name'),
    visibleAt: now + account.delays.visible,
  };
  account.keys.push(key);
  return { status: 201, body: { ssh_key: keyBody(key) } };
}

function find({ account, params, now }: FakeRequest): FakeKey {
  const key = account.keys.find(
    ({ id, fingerprint }) => String(id) === params.id || fingerprint === params.id,
  );
  if (key === undefined || key.visibleAt > now) throw notFound();
  return key;
}

function keyBody({ id, fingerprint, publicKey, name }: FakeKey): unknown {
  return { id, fingerprint, public_key: publicKey, name };
}
