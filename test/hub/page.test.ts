/** The dashboard in a real browser, on a whole hub with sample data. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisUnavailable } from '../agent/redis-server.ts';
import { browserUnavailable, startBrowser } from '../support/browser.ts';
import { type SampleHub, serveSample } from './sample/serve.ts';

const missing = redisUnavailable() ?? browserUnavailable();
if (missing !== undefined) process.stderr.write(`test/hub/page.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('the dashboard', () => {
  let hub: SampleHub;
  let browser: Browser;
  let context: BrowserContext;
  const asked: string[] = [];
  const said: string[] = [];
  beforeAll(async () => {
    [hub, browser] = await Promise.all([
      serveSample({ hosts: 5, apps: 2, hours: { raw: 0.2, minute: 2, 'ten-minutes': 24 } }),
      startBrowser(),
    ]);
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
    context.on('request', (request) => asked.push(request.url()));
    // Chromium reports every answer 401; who is not signed in yet gets one.
    context.on('console', (message) => {
      if (!message.text().includes('401')) said.push(message.text());
    });
    context.on('weberror', (error) => said.push(error.error().message));
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await hub?.stop();
  });

  const open = async (query: string, ready = '.view h1'): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${hub.address}/dashboard${query}`);
    await page.waitForSelector(ready);
    return page;
  };
  // What is evaluated as text runs in the page.
  const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  it('lets in who knows the password, and nobody else', async () => {
    const page = await open('', 'form');
    await page.fill('[name=user]', 'admin');
    await page.fill('[name=password]', 'wrong');
    await page.click('button[type=submit]');
    await page.waitForSelector('text=User or password is wrong.');
    await page.fill('[name=password]', hub.password);
    await page.click('button[type=submit]');
    await page.waitForSelector('.view h1');
    await page.waitForSelector('text=itrust is broken');
    expect(await page.textContent('.foot')).toContain('admin');
    await page.close();
  }, 60_000);

  it.each([
    ['', 'table'],
    ['?app=checkbox.io', '.chart canvas'],
    ['?host=itrust', 'table[aria-label=Units]'],
    ['?view=alerts', '.alerts'],
    ['?view=events&range=30d', '.events li'],
    ['?view=canaries', 'table[aria-label="Canary runs"]'],
    ['?view=canaries', '.steps .here'],
    ['?rollout=sample-taken-back', 'table[aria-label="Evidence by metric"]'],
    ['?run=samplefailed1', 'table[aria-label="Metrics of the run"]'],
    ['?run=samplerunning1', '.sentence'],
    ['?logs=checkbox.io', '.loglines li'],
  ])(
    'shows %s on a screen and on a telephone, without scrolling sideways',
    async (query, ready) => {
      const page = await open(query, ready);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 375, height: 700 });
      // Charts follow the width a moment later.
      await expect.poll(() => overflow(page)).toBeLessThanOrEqual(0);
      await page.close();
    },
    60_000,
  );

  it('puts charts into two columns where there is room, never into three', async () => {
    const page = await open('?host=itrust', '.chart canvas');
    const columns = () =>
      page.evaluate(
        "new Set([...document.querySelectorAll('.chart')].map((one) => " +
          'one.getBoundingClientRect().left)).size',
      );
    for (const [width, wanted] of [
      [1100, 1],
      [1440, 2],
      [2560, 2],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(columns, { message: `at ${width}` }).toBe(wanted);
    }
    await page.close();
  }, 60_000);

  it('shows a rollout as it goes on, and its steps where they were taken', async () => {
    const page = await open('?view=canaries', 'text=checkbox.io: v2 (c20cadf) is let in');
    const requests = () => page.textContent('section[aria-label^="checkbox.io"] tbody td:nth-child(4)');
    const before = await requests();
    await expect.poll(requests, { timeout: 20_000 }).not.toBe(before);
    await page.click('section[aria-label^="checkbox.io"] >> text=its steps');
    await page.waitForURL(/rollout=sample-running/);
    await page.waitForSelector('.events >> text=harm beyond the margin of this step is excluded');
    await page.click('text=charts of both versions');
    await page.waitForURL(/app=checkbox\.io&baseline=.*&candidate=/);
    await page.waitForSelector('.events >> text=◐ 5 %');
    await page.close();
  }, 60_000);

  it('shows logs by level, text and time, and leads to them from what went wrong', async () => {
    const page = await open('?view=logs', '.loglines li');
    const levels = () =>
      page.evaluate(
        "[...new Set([...document.querySelectorAll('.loglines li')].map((one) => one.className))].sort()",
      );
    expect(await levels()).toEqual(['debug', 'error', 'info', 'warning']);
    await page.click('text=Errors');
    await expect.poll(levels).toEqual(['error']);
    await page.fill('.logs input[type=search]', 'no line has this');
    await page.waitForSelector('text=No such line in this range.');
    await page.fill('.logs input[type=search]', 'NOT ITERABLE');
    await page.waitForSelector('.loglines li.error');
    await page.click('.bucket:has(rect.error)');
    await page.waitForURL(/logs=checkbox\.io.*from=\d+&to=\d+.*kind=error/);
    await page.selectOption(
      '.logs select[aria-label="Application or host"]',
      `host:${hub.fleet.hosts.at(-1)}`,
    );
    await page.waitForSelector('text=its agent does not answer', { timeout: 20_000 });
    await page.goto(`${hub.address}/dashboard?view=alerts`);
    await page.click('.alerts .logs-link');
    await page.waitForURL(/logs=.*from=/);
    await page.close();
  }, 90_000);

  it('shows a route whose name is a script as text', async () => {
    const page = await open('?app=checkbox.io&range=6h', 'text=<script>document.title="run"</script>');
    expect(await page.evaluate("document.querySelectorAll('main script').length")).toBe(0);
    expect(await page.title()).toBe('checkbox.io · pipeline monitor');
    // And a script that got into the page all the same would not run.
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'document.title = "run"';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title=1">');
    }`);
    const blocked = () => said.filter((line) => line.includes('Content Security Policy')).length;
    await expect.poll(blocked).toBeGreaterThan(1);
    said.splice(0);
    expect(await page.title()).toBe('checkbox.io · pipeline monitor');
    await page.close();
  }, 60_000);

  it('holds what is shown in the address bar, and goes back', async () => {
    const page = await open('', '.lists .entry');
    await page.click('.lists a:has-text("checkbox.io")');
    await page.waitForURL(/app=checkbox\.io/);
    await page.click('.ranges button:has-text("6h")');
    await page.waitForURL(/range=6h/);
    await page.click('text=Compare the last two');
    await page.waitForURL(/baseline=.*candidate=/);
    await page.waitForSelector('.sentence');
    const shared = page.url();
    await page.setViewportSize({ width: 375, height: 700 });
    await expect.poll(() => overflow(page)).toBeLessThanOrEqual(0);
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes('baseline'));
    await page.goBack();
    await page.goBack();
    await page.waitForURL((url) => url.search === '');
    await page.goto(shared);
    await page.waitForSelector('table[aria-label="Comparison of two versions"]');
    expect(await page.getAttribute('.ranges button:has-text("6h")', 'aria-pressed')).toBe('true');
    await page.close();
  }, 60_000);

  it('zooms by dragging over a chart, with one cursor on all', async () => {
    const page = await open('?host=checkbox', '.chart canvas');
    const chart = await page.locator('.chart .u-over').first().boundingBox();
    if (chart === null) throw new Error('no chart');
    const y = chart.y + chart.height / 2;
    await page.mouse.move(chart.x + chart.width * 0.9, y);
    await page.mouse.move(chart.x + chart.width * 0.95, y);
    // Every legend tells the time at the cursor, not only that of the chart under it.
    await expect
      .poll(() =>
        page.evaluate(
          "[...document.querySelectorAll('.legend .at')].filter((at) => at.textContent !== '').length",
        ),
      )
      .toBeGreaterThan(5);
    await page.mouse.move(chart.x + chart.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(chart.x + chart.width * 0.7, y, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    await page.click('text=Back to now');
    await page.waitForURL((url) => !url.search.includes('from='));
    await page.close();
  }, 60_000);

  it('is used by keyboard', async () => {
    const page = await open('', '.lists .entry');
    await page.keyboard.press('/');
    await page.keyboard.type('itr');
    // The list follows a frame later: what is left of it is what arrows lead to.
    const entries = () => page.locator('.lists .entry').allTextContents();
    await expect.poll(async () => (await entries()).every((text) => /itr/i.test(text))).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/host=itrust/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('5');
    await page.waitForURL(/range=24h/);
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog:not([open])', { state: 'attached' });
    await page.keyboard.press('a');
    await page.waitForURL(/view=alerts/);
    const theme = () => page.evaluate('document.documentElement.dataset.theme');
    const before = await theme();
    await page.keyboard.press('t');
    await expect.poll(theme).not.toBe(before);
    await page.close();
  }, 60_000);

  it('is live, rests while it is hidden, comes back when it can, and asks no other host', async () => {
    expect(said).toEqual([]);
    const page = await open('?host=checkbox&range=5m', '.stream.live');
    const now = () => page.textContent('.legend li:first-child b');
    const first = await now();
    await expect.poll(now, { timeout: 20_000 }).not.toBe(first);
    await page.evaluate(`{
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }`);
    await page.waitForSelector('.stream.paused');
    await page.route('**/api/stream*', (route) => route.abort());
    await page.evaluate(`{
      Object.defineProperty(document, 'hidden', { value: false, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }`);
    await page.waitForSelector('.stream.again');
    await page.unroute('**/api/stream*');
    await page.waitForSelector('.stream.live');
    await page.close();
    expect(said.splice(0).every((line) => line.includes('ERR_FAILED'))).toBe(true);
    expect(asked.filter((url) => !url.startsWith(hub.address) && !url.startsWith('data:'))).toEqual([]);
  }, 60_000);

  it('lets an admin take an alert, silence what it is about, and end that', async () => {
    const page = await open('?view=alerts', '.alerts .acts');
    const firing = page.locator('.alerts li.firing').first();
    await firing.getByRole('button', { name: 'Take' }).click();
    await page.waitForSelector('text=taken by admin');
    await firing.getByRole('button', { name: 'Give back' }).click();
    const taken = () => page.locator('text=taken by admin').count();
    await expect.poll(taken, { timeout: 20_000 }).toBe(0);
    await firing.getByRole('button', { name: 'Silence …' }).click();
    const form = page.getByRole('form', { name: 'Silence' });
    await form.getByRole('button', { name: 'Silence' }).click();
    // It says why, or nothing happens.
    expect(await form.count()).toBe(1);
    await form.getByLabel('Why').fill('<script>alert(1)</script> new disk');
    await form.getByRole('button', { name: 'Silence' }).click();
    await page.waitForSelector('table[aria-label=Silences] >> text=new disk');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.click('[aria-label^="End the silence of"]');
    await page.waitForSelector('text=Nothing is silenced');
    await page.close();
  }, 60_000);

  it('signs out', async () => {
    const page = await open('', '.foot');
    await page.click('text=Sign out');
    await page.waitForSelector('form.sign-in');
    await page.close();
  }, 60_000);
});
