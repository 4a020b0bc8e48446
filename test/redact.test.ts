import { expect, it } from 'vitest';
import { redact } from '../src/redact.ts';

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
])('%s', (text, secrets, shown) => expect(redact(text, secrets)).toBe(shown));
