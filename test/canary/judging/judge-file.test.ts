import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { conclude } from '../../../src/canary/judging/conclude.ts';
import { reportFolder, writeReport } from '../../../src/canary/judging/files.ts';
import { judgeFile } from '../../../src/canary/judging/judge-file.ts';
import { mutable } from '../../../src/canary/judging/mutable.ts';
import { defaultSequentialConfig, toKayentaDocument } from '../../../src/judge/index.ts';
import type { CanaryReport } from '../../../src/report/document.ts';
import { report, simulate, verdict } from '../../report/sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'pipeline-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A report as a run writes it. */
function written(): CanaryReport {
  const { verdict: _, ...run } = report(simulate(12, {}, { errors: 0.3 }), verdict([]), {
    experiment: {
      config: mutable(defaultSequentialConfig),
      seconds: mutable(simulate(12, {}, { errors: 0.3 })),
      ended: true,
    },
  });
  return { ...run, verdict: conclude(run, 'sequential') };
}

const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('pipeline judge FILE', () => {
  it('computes the same verdict from every form that holds the data', async () => {
    const made = written();
    const own = await reportFolder(folder, made.at);
    const files = await writeReport(
      made,
      { json: 'report.json', html: 'report.html', markdown: 'report.md' },
      own,
    );
    for (const path of [files.json, files.html]) {
      const judged = await judgeFile(path ?? '');
      expect(judged).toMatchObject({
        kind: 'canary',
        agrees: true,
        report: { verdict: { verdict: 'failed' } },
      });
    }
    expect(readFileSync(files.markdown ?? '', 'utf8')).toContain('### Canary of preview: ❌ Failed');
  });

  it('gives a second report of the same second a folder of its own', async () => {
    const at = '2026-11-23T01:02:03.456Z';
    expect(await reportFolder(folder, at)).toMatch(/canary\/2026-11-23T01-02-03Z$/);
    expect(await reportFolder(folder, at)).toMatch(/canary\/2026-11-23T01-02-03Z-2$/);
  });

  it('says so where data and verdict do not belong together', async () => {
    const text = JSON.stringify(written()).replaceAll('"5xx":', '"2xx":');
    expect(await judgeFile(file('changed.json', text))).toMatchObject({ agrees: false });
  });

  it('knows its own verdict again in the words of an earlier version', async () => {
    const made = JSON.parse(JSON.stringify(written()));
    made.verdict.reason = 'The candidate is worse, as versions before put it.';
    const judged = await judgeFile(file('earlier.json', JSON.stringify(made)));
    expect(judged).toMatchObject({ agrees: true, report: { verdict: { verdict: 'failed' } } });
  });

  it('asks the other judge about the same data', async () => {
    const judged = await judgeFile(file('other.json', JSON.stringify(written())), { judge: 'kayenta' });
    expect(judged).toMatchObject({ kind: 'canary', agrees: null, report: { verdict: { judge: 'kayenta' } } });
  });

  it("answers a document of Kayenta's remote judge in its form", async () => {
    const document = toKayentaDocument({
      config: defaultSequentialConfig,
      seconds: simulate(30, {}, {}),
      ended: true,
    });
    const judged = await judgeFile(file('kayenta.json', JSON.stringify(document)));
    expect(judged).toMatchObject({
      kind: 'kayenta',
      result: { judgeName: 'NetflixACAJudge-v1.0', score: expect.anything() },
    });
  });

  it.each([
    ['a missing file', () => join(folder, 'nope.json'), {}, /cannot be read/],
    ['what is not JSON', () => file('a.txt', 'hello'), {}, /is not JSON/],
    ['a page without a report', () => file('a.html', '<html></html>'), {}, /page without a canary report/],
    [
      'another document',
      () => file('b.json', '{"a": 1}'),
      {},
      /neither a canary report nor a document of Kayenta/,
    ],
    [
      'a document for the other judge',
      () => file('c.json', '{"a": 1}'),
      { judge: 'sequential' },
      /neither a canary report nor does it name counters/,
    ],
    [
      'a report of the future',
      () => file('d.json', '{"format": "pipeline-canary-report", "version": 9}'),
      {},
      /this version can read/,
    ],
  ] as const)('refuses %s with a next step', async (_, path, options, message) => {
    await expect(judgeFile(path(), options)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(message),
      next: expect.stringMatching(/.+/),
    });
  });
});
