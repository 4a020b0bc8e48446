/**
 * The pictures of the README: the dashboard of a hub with sample data, and the report of a judged sample run.
 */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { runProgram } from '../../src/cli/program.ts';
import { redisUnavailable } from '../agent/redis-server.ts';
import { type SampleHub, serveSample } from '../hub/sample/serve.ts';
import { report, simulate, verdict } from '../report/sample.ts';
import { browserUnavailable, startBrowser } from './browser.ts';

const SCHEMES = ['light', 'dark'] as const;
type Scheme = (typeof SCHEMES)[number];

const WIDTH = 1200;
const HEIGHT = 750;
/** GitHub shows a README at about 900 pixels: sharper pictures would only be larger. */
const LIMIT_BYTES = 150_000;

/**
 * Writes `dashboard-light.png`, `dashboard-dark.png`, `report-light.png` and `report-dark.png`.
 * @throws Error where chromium or Redis is missing, or a picture became too large
 */
export async function takePictures(folder: string): Promise<readonly string[]> {
  const missing = redisUnavailable() ?? browserUnavailable();
  if (missing !== undefined) throw new Error(missing);
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'pipeline-pictures-'));
  const browser = await startBrowser();
  try {
    const html = await judgedReport(scratch);
    return [...(await dashboard(browser, folder)), ...(await canaryReport(browser, html, folder))];
  } finally {
    await browser.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A day of five hosts and two applications. */
async function dashboard(browser: Browser, folder: string): Promise<string[]> {
  const hub = await serveSample({ hosts: 5, apps: 2, hours: { raw: 1, minute: 6, 'ten-minutes': 24 } });
  try {
    const files: string[] = [];
    for (const scheme of SCHEMES) {
      const page = await emptyPage(browser, scheme);
      await signIn(page, hub);
      await page.goto(`${hub.address}/dashboard?app=checkbox.io&range=6h`);
      await page.waitForSelector('.chart canvas');
      // Charts draw themselves as their data arrives.
      await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined);
      await page.waitForTimeout(1_500);
      files.push(await shoot(page, folder, `dashboard-${scheme}`));
    }
    return files;
  } finally {
    await hub.stop();
  }
}

async function signIn(page: Page, hub: SampleHub): Promise<void> {
  await page.goto(`${hub.address}/dashboard`);
  await page.fill('[name=user]', 'admin');
  await page.fill('[name=password]', hub.password);
  await page.click('button[type=submit]');
  await page.waitForSelector('.view h1');
}

/** A run whose candidate answers some requests with 500 and is slower, judged by `pipeline judge`. */
async function judgedReport(folder: string): Promise<string> {
  const seconds = simulate(45, {}, { errors: 0.06, median: 4.6 });
  const data = join(folder, 'report.json');
  const html = join(folder, 'report.html');
  await writeFile(data, JSON.stringify(report(seconds, verdict([]))));
  let told = '';
  const sink = { write: (text: string) => (told += text) };
  await runProgram(['judge', data, '--report', html], {
    env: {},
    cwd: folder,
    stdout: sink,
    stderr: sink,
    interrupted: new AbortController().signal,
  });
  if (!told.includes('failed')) throw new Error(`The sample run was not rejected:\n${told}`);
  return html;
}

async function canaryReport(browser: Browser, html: string, folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const scheme of SCHEMES) {
    const page = await emptyPage(browser, scheme);
    await page.goto(pathToFileURL(html).href);
    files.push(await shoot(page, folder, `report-${scheme}`));
  }
  return files;
}

async function emptyPage(browser: Browser, colorScheme: Scheme): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT }, colorScheme });
  return context.newPage();
}

async function shoot(page: Page, folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  await page.context().close();
  const { size } = await stat(path);
  if (size > LIMIT_BYTES) throw new Error(`${path} has ${size} bytes, more than ${LIMIT_BYTES}.`);
  return path;
}
