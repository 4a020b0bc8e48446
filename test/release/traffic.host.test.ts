import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import { failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();
/** Requests a second. */
const RATE = 500;

describe.skipIf(unavailable !== undefined)(`no request is dropped (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;

  beforeAll(async () => {
    at = await startReleases(['web']);
    await at.deploy('one');
    // Both colours have been there once, so that the site's file stays what it is.
    await at.deploy('two');
  });
  afterAll(() => at?.stop());

  async function during(
    work: () => Promise<void>,
    options: { keepAlive: boolean; method?: string; body?: string },
  ): Promise<LoadResult> {
    const load = startLoad({ url: `http://${at.addresses[0]}/`, rate: RATE, ...options });
    await delay(500);
    await work();
    await delay(500);
    return load.stop();
  }

  test.each([
    { keepAlive: true, method: 'GET' },
    { keepAlive: false, method: 'GET' },
    { keepAlive: true, method: 'POST', body: 'five!' },
    { keepAlive: false, method: 'POST', body: 'five!' },
  ])('by a deploy, a failed deploy, and a rollback, at 500 requests a second: %j', async (options) => {
    const result = await during(async () => {
      await at.deploy('three');
      await failureOf(at.deploy('broken', { health: { within: '1s' } }));
      await at.rollback();
    }, options);
    expect(result.others).toEqual({});
    expect(result.ok).toBe(result.sent);
    expect(result.sent).toBeGreaterThan(RATE * 2);
    await at.deploy('two');
  });

  test('by a version that fails its probation, except what it was asked when it died', async () => {
    const result = await during(
      async () => {
        await failureOf(at.deploy('fades', { probation: '10s' }));
      },
      { keepAlive: true, method: 'GET' },
    );
    // It exits amid its requests; the old version repeats what may be repeated, and POSTs would be lost.
    expect(result.others).toEqual({});
    expect(result.ok).toBe(result.sent);
  });
});
