import { beforeEach, describe, expect, test } from 'vitest';
import type { SecretSource } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { resolveSecrets } from '../../src/release/secrets.ts';
import type { ReleaseHost } from '../../src/release/types.ts';
import { type Asked, recorded } from './support.ts';

let traced: string[];
let asked: Asked[];
beforeEach(() => {
  traced = [];
  asked = [];
});

function resolve(
  sources: Readonly<Record<string, SecretSource>>,
  env: Record<string, string> = {},
  hosts: readonly ReleaseHost[] = [],
) {
  const own = { PATH: process.env.PATH, ...env };
  const context = quietContext({ env: own, trace: (line) => traced.push(line) });
  return resolveSecrets('shop', sources, hosts, '/', context);
}

/** Lines of the trace that are no command line. */
const output = () => traced.filter((line) => !line.startsWith('$ '));

describe('a secret from a command', () => {
  test('is what it prints, whole, but for the last line end; and is not traced', async () => {
    const { values, kept } = await resolve({ KEY: { command: "printf 'first\\nsecond\\n'" } });
    expect({ values, kept }).toEqual({ values: { KEY: 'first\nsecond' }, kept: [] });
    expect(output()).toEqual([]);
  });

  test.each([
    ['fails', 'echo half-a-secret; exit 7', 'exit 7'],
    ['prints nothing', 'true', 'it printed nothing'],
    ['is not there', 'no-such-store show shop', 'exit 127'],
  ])('that %s is missing, with the reason and without its output', async (_what, command, reason) => {
    const failed = resolve({ KEY: { command } });
    await expect(failed).rejects.toMatchObject({
      kind: 'usage',
      message: 'shop: a secret is missing',
      output: [`KEY (${command}: ${reason})`],
    });
    expect(output()).toEqual([]);
  });
});

test('all that is missing is named at once', async () => {
  const failed = resolve(
    { A: { env: 'SHOP_A' }, B: { env: 'SHOP_B' }, C: { env: 'SHOP_C' } },
    { SHOP_B: 'b' },
  );
  await expect(failed).rejects.toMatchObject({
    message: 'shop: 2 secrets are missing',
    output: ['A (environment variable SHOP_A is not set)', 'C (environment variable SHOP_C is not set)'],
  });
});

test('a generated secret is made once for all hosts, of letters and digits', async () => {
  const hosts = ['web-1', 'web-2'].map((name) => ({ name, connection: recorded(name, asked, () => ({})) }));
  const { values, kept } = await resolve({ KEY: { generate: 24 } }, {}, hosts);
  expect(values.KEY).toMatch(/^[A-Za-z0-9]{24}$/);
  expect(kept).toEqual(['KEY']);
  expect(asked.map(({ host }) => host)).toEqual(['web-1', 'web-2']);
});
