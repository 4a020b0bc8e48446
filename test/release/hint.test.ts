import { expect, it } from 'vitest';
import { hint } from '../../src/release/send/hint.ts';

it.each([
  ["OSError: [Errno 30] Read-only file system: 'logs'", /^It wrote into its own folder.*persist:/],
  ["Error: EROFS: read-only file system, mkdir '/srv/shop'", /^It wrote into its own folder/],
  [
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@remix-run/dev' imported from /srv/a/server.mjs",
    /^If @remix-run\/dev stands in devDependencies/,
  ],
  ["Error: Cannot find module 'ts-node/register'", /^If ts-node stands/],
  ['/srv/shop/blue/start: 2: exec: nest: not found', /^If nest stands/],
  ['sh: 1: cross-env: not found', /^If cross-env stands/],
  ["Error: Cannot find module './routes'", /^$/],
  ["Error: Cannot find module '/srv/shop/app/a.js'", /^$/],
  ['page not found', /^$/],
])('%s', (line, said) => {
  expect(hint(['before', line, 'after'])).toMatch(said);
});
