/** Size of the page, and how soon after the click it can be used. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { SampleHub } from '../../test/hub/sample/serve.ts';
import { startBrowser } from '../../test/support/browser.ts';

const RUNS = 5;
const GOALS = { kilobytes: 150, seconds: 1 };

export async function measure({ address, password }: SampleHub): Promise<void> {
  const html = await (await fetch(`${address}/dashboard`)).text();
  const paths = [...html.matchAll(/(?:href|src)="(\/dashboard\/[^"]+)"/g)].map(([, path]) => path ?? '');
  const files = await Promise.all(
    paths.map(async (path) => Buffer.from(await (await fetch(`${address}${path}`)).arrayBuffer())),
  );
  const total = (compress: (file: Buffer) => Buffer) =>
    [Buffer.from(html), ...files].reduce((sum, file) => sum + compress(file).length, 0) / 1000;
  console.log(
    `size        ${total(gzipSync).toFixed(1)} kB gzip, ${total(brotliCompressSync).toFixed(1)} kB brotli, ` +
      `in ${files.length + 1} files (goal: under ${GOALS.kilobytes} kB)`,
  );

  const browser = await startBrowser();
  try {
    const context = await browser.newContext();
    const first = await context.newPage();
    await first.goto(`${address}/dashboard`);
    await first.fill('[name=user]', 'admin');
    await first.fill('[name=password]', password);
    await first.click('button[type=submit]');
    await first.waitForSelector('.view h1');
    const name = await first.textContent('.lists a .name');
    await first.close();
    for (const [what, path, ready] of [
      ['overview', '/dashboard', '.view table tbody tr'],
      ['app page', `/dashboard?app=${encodeURIComponent(name ?? '')}`, '.chart canvas'],
    ] as const) {
      const seconds: number[] = [];
      for (let i = 0; i < RUNS; i++) {
        const page = await context.newPage();
        const begun = performance.now();
        await page.goto(`${address}${path}`, { waitUntil: 'commit' });
        await page.waitForSelector(ready);
        seconds.push((performance.now() - begun) / 1000);
        await page.close();
      }
      seconds.sort((a, b) => a - b);
      console.log(
        `${what.padEnd(11)} usable after ${seconds[Math.floor(RUNS / 2)]?.toFixed(2)} s, ` +
          `median of ${RUNS} (goal: ${GOALS.seconds} s)`,
      );
    }
  } finally {
    await browser.close();
  }
}
