/** `pipeline judge FILE` with the report of a rollout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { RolloutOrder } from '../../src/contract/release.ts';
import type { UnitEvent } from '../../src/judge/units/types.ts';
import { rolloutReport } from '../../src/rollout/kept.ts';
import { beginState, next } from '../../src/rollout/next.ts';
import { statusOf } from '../../src/rollout/status.ts';

const folder = mkdtempSync(join(tmpdir(), 'judge-rollout-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PLAN = { steps: [1, 50, 100], alpha: 0.01, atMost: 60, otherwise: 'hold' } as const;
const none = { baseline: 0, candidate: 0 };
const failures = [1, 2].map((at): UnitEvent => {
  const deal = {
    chance: 0.01,
    failed: { baseline: 0, candidate: 1 },
    refused: none,
    alone: none,
    returned: none,
  };
  return { kind: 'second', at, deals: [deal] };
});

function taken() {
  const seen = { seconds: 1, events: failures, unwell: { baseline: null, candidate: null }, word: null };
  const { state } = next(PLAN, beginState(PLAN), seen);
  const manifest = (release: string) => ({ app: 'shop', release, ref: release, commit: null, subject: null });
  const order = {
    ...{ ...PLAN, id: '1', by: 'visitor', atMost: 60_000 },
    ...{ baseline: { manifest: manifest('one') }, settle: { manifest: manifest('two') } },
  } as unknown as RolloutOrder;
  const side = { visitors: 2, requests: 2, failed: 2 };
  const events = [{ at: '2026-01-01T00:00:00.000Z', kind: 'taken back', percent: 0, why: '' } as const];
  return statusOf({
    order,
    began: 0,
    now: 2000,
    state,
    counted: { baseline: side, candidate: side },
    unwell: seen.unwell,
    events,
  });
}

async function judge(document: unknown, ...options: string[]) {
  const file = join(folder, 'rollout.json');
  writeFileSync(file, JSON.stringify(document));
  let stdout = '';
  const exitCode = await runProgram(['judge', file, ...options], {
    ...{ env: {}, cwd: '/', interrupted: new AbortController().signal },
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => {} },
  });
  return { exitCode, stdout };
}

test('the same verdict as the host’s: harm, exit 5', async () => {
  const { exitCode, stdout } = await judge(rolloutReport(taken(), failures));
  expect(exitCode).toBe(5);
  expect(stdout).toContain('shop: one and two');
  expect(stdout).toContain('The evidence of harm suffices');
  expect(stdout).toContain('The file holds the same verdict.');
  // Before the first block of evidence, errors are shown as they were counted.
  expect(stdout).toMatch(/errors \(5xx\) +100 % +100 %/);
});

test('evidence that was taken out is noticed', async () => {
  const { exitCode, stdout } = await judge(rolloutReport(taken(), failures.slice(1)), '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ harmful: false, agrees: false });
});

test.each([
  ['a half one', (one: object) => ({ ...one, events: [{ kind: 'second' }] }), [], 'events.0'],
  ['another judge', (one: object) => one, ['--judge', 'kayenta'], 'in one way alone'],
])('%s is refused with a next step', async (_, change, options, words) => {
  const { exitCode, stdout } = await judge(change(rolloutReport(taken(), failures)), ...options);
  expect(exitCode).toBe(2);
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toContain(words);
  expect(said).toMatch(/pipeline (judge|rollout status)/);
});
