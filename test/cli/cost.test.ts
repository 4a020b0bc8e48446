/**
 * `prod plan` and `prod up` on DigitalOcean say what the hosts cost before the first call that changes
 * anything.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { costLines } from '../../src/cli/changes.ts';
import { runProgram } from '../../src/cli/program.ts';
import { FAKE_TOKEN, type FakeDigitalOcean, startFake } from '../fakes/digitalocean/server.ts';

const CONFIG = `project: shop
provider: digitalocean
operators: [203.0.113.7/32]
hosts:
  web:
    count: 2
    size: s-1vcpu-1gb
  db:
    size: s-2vcpu-4gb
`;
const COST = 'Cost: $36.00 a month, $36.00 more than now (US dollars, without traffic and taxes).';

describe('the cost on DigitalOcean', () => {
  let fake: FakeDigitalOcean;
  let folder: string;
  let printed = '';
  let told = '';
  beforeEach(async () => {
    fake = await startFake({});
    folder = mkdtempSync(join(tmpdir(), 'pipeline-cost-'));
    writeFileSync(join(folder, 'pipeline.yml'), CONFIG);
    printed = '';
    told = '';
  });
  afterEach(async () => {
    await fake.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...argv: string[]) =>
    runProgram(argv, {
      env: { DOTOKEN: FAKE_TOKEN, DIGITALOCEAN_API_URL: fake.url },
      cwd: folder,
      stdout: { write: (text: string) => (printed += text) },
      stderr: { write: (text: string) => (told += text) },
      interrupted: new AbortController().signal,
    });

  it('is what `prod plan` ends with, and a key of its JSON', async () => {
    expect(await run('prod', 'plan')).toBe(0);
    expect(printed).toContain(COST);
    printed = '';
    expect(await run('prod', 'plan', '--json')).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      cost: { currency: 'USD', before: 0, after: 36, change: 36 },
    });
  });

  it('is printed by `prod up` before it changes anything', async () => {
    let atFirstWrite: string | undefined;
    fake.fail(({ method }) => {
      if (method === 'GET') return undefined;
      atFirstWrite ??= printed + told;
      return { kind: 'status', status: 403, effect: false };
    });
    expect(await run('prod', 'up')).not.toBe(0);
    expect(atFirstWrite).toContain(COST);
  });
});

describe('the sentence about the cost', () => {
  const cost = (before: number, after: number) =>
    costLines({ cost: { currency: 'USD', before, after, change: after - before } }).join();

  it.each([
    [cost(0, 24), '$24.00 a month, $24.00 more than now'],
    [cost(24, 18.5), '$18.50 a month, $5.50 less than now'],
    [cost(24, 24), '$24.00 a month, as now'],
  ])('%s', (sentence, expected) => {
    expect(sentence).toContain(expected);
  });

  it('is left out where hosts cost nothing', () => {
    expect(costLines({ cost: undefined })).toEqual([]);
  });
});
