import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { browserUnavailable, startBrowser } from '../support/browser.ts';
import { metric, report, simulate, verdict } from './sample.ts';

const missing = browserUnavailable();
if (missing !== undefined) process.stderr.write(`skipped: the report in a browser: ${missing}\n`);

describe.skipIf(missing !== undefined)('the page in a browser', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-page-'));
  const file = join(folder, 'report.html');
  beforeAll(async () => {
    const hostile =
      '<img src=x onerror="document.title=1">GET /a/very/long/route/that/goes/on/and/on/and/on/and/on';
    const metrics = [
      metric('errors (5xx)', 'errors-5xx', {
        unit: 'share',
        observed: { baseline: 0, candidate: 0.5 },
        verdict: 'high',
      }),
      metric(`latency p50 ${hostile}`, 'latency', { route: hostile }),
    ];
    const seconds = simulate(40, {}, { errors: 0.2 }, { routes: [hostile, 'GET /'] });
    const evidence = { at: [10, 20, 40], harm: [{ name: hostile, shares: [0.1, 0.5, 1] }], noHarm: [] };
    writeFileSync(file, renderHtml(report(seconds, verdict(metrics, { verdict: 'failed' })), evidence));
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [360, 'light'],
  ] as const)(
    '%d pixels wide, %s: nothing overflows, nothing is fetched, nothing runs',
    async (width, colorScheme) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      const asked: string[] = [];
      const said: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => said.push(message.text()));
      await page.goto(pathToFileURL(file).href);
      // The functions below run in the page.
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      expect(await page.evaluate('document.images.length')).toBe(0);
      expect(await page.evaluate("document.querySelectorAll('svg[role=img]').length")).toBeGreaterThan(10);
      expect(await page.title()).toContain('failed: preview');
      expect(asked.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
      expect(said).toEqual([]);
      await page.close();
    },
    60_000,
  );
});
