import { describe, expect, it, test } from 'vitest';
import { redact, redactor, secretsIn } from '../src/redact.ts';

it.each([
  ['Cannot reach https://ann:s3cret@db.example/x?y', [], 'Cannot reach https://***@db.example/x?y'],
  ['smtp://ann:a@b@mail.example:587', [], 'smtp://***@mail.example:587'],
  ['redis://:s3cret@10.0.0.1', [], 'redis://***@10.0.0.1'],
  [
    'write to https://example.com/a, mail ann@example.com',
    [],
    'write to https://example.com/a, mail ann@example.com',
  ],
  ['{"authorization":"Bearer s3cret"}', [], '{"authorization":"***"}'],
  ['Authorization: Basic czNjcmV0 was refused', [], 'Authorization: *** was refused'],
  ['no right for token-12 and token', ['token', 'token-12'], 'no right for *** and ***'],
  ['Cookie: a=s3cret; b=s3cret', [], 'Cookie: ***'],
  ['X-Api-Key: s3cret', [], 'X-Api-Key: ***'],
  ['PRIVATE-TOKEN: s3cret', [], 'PRIVATE-TOKEN: ***'],
  ['GET /x?token=s3cret&page=2', [], 'GET /x?token=***&page=2'],
  ['DB_PASSWORD=s3cret NODE_ENV=production', [], 'DB_PASSWORD=*** NODE_ENV=production'],
  ["export API_KEY='s3 cret'", [], 'export API_KEY=***'],
  ['mysql --user=root --password=s3cret shop', [], 'mysql --user=root --password=*** shop'],
  ['curl --oauth-token s3cret --fail', [], 'curl --oauth-token *** --fail'],
  ['{"db_password": "s3cret", "user": "shop"}', [], '{"db_password": "***", "user": "shop"}'],
  [
    'key:\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nend',
    [],
    'key:\n***\nend',
  ],
])('%s', (text, secrets, shown) => expect(redact(text, secrets)).toBe(shown));

test.each([
  'ansible_password cannot be used: sign in with a key instead',
  'Permission denied (publickey,password).',
  'password=$(cat /etc/pipeline/password)',
  'error: Unexpected token: }',
  'The token has no write scope: make another one.',
  'https://example.com/docs/tokens#password',
])('%s is left as it is', (text) => expect(redact(text)).toBe(text));

describe('known secrets', () => {
  it.each([
    ['everywhere', ['hunter2'], 'hunter2 and xhunter2y', '*** and x***y'],
    ['the longer of two that overlap', ['pass', 'password'], 'password', '***'],
    ['nothing for an empty secret', [''], 'text', 'text'],
    ['nothing without secrets', undefined, 'text', 'text'],
    ['every line of a secret with several', ['line one\nline two\n'], 'x line two', 'x ***'],
    ['not the braces of a secret in JSON', ['{\n"k": "value"\n}'], '{ "k": "value" }', '{ *** }'],
    ['characters that mean something in patterns', ['a.*$1'], 'say a.*$1 and abc', 'say *** and abc'],
  ])('are hidden: %s', (_what, secrets, text, shown) => expect(redactor(secrets)(text)).toBe(shown));
});

test('the secrets of an environment are the values that their names call so', () => {
  const env = {
    DIGITALOCEAN_TOKEN: 'dop_v1_0123456789',
    DB_PASSWORD: 'correct horse',
    SSH_PRIVATE_KEY: '/root/.ssh/id_ed25519',
    TOKEN: 'short',
    NODE_ENV: 'production',
    TOKENIZER: 'wordpiece-large',
  };
  expect(secretsIn(env)).toEqual(['dop_v1_0123456789', 'correct horse']);
});

test('long output without secrets costs little', () => {
  const text = 'npm warn deprecated https://registry.example/some-package@1.2.3: use another one\n'.repeat(
    20_000,
  );
  const started = performance.now();
  expect(redact(text)).toBe(text);
  expect(performance.now() - started).toBeLessThan(2_000);
});
