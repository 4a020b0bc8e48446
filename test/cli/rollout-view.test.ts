/** A rollout on the terminal. */
import pc from 'picocolors';
import { expect, test } from 'vitest';

import { rolloutEnd, rolloutFrame } from '../../src/cli/rollout-view.ts';
import type { RolloutStatus } from '../../src/contract/rollout.ts';

const side = (ref: string) => ({ release: `20261129-${ref}`, ref, commit: null, subject: '' });
const row = (name: string, odds: number, cleared: boolean) =>
  ({ name, unit: 'share', baseline: 0, candidate: 0.5, odds, tolerated: null, cleared }) as const;
const status = (more: Partial<RolloutStatus> = {}): RolloutStatus => ({
  ...{ app: 'shop', id: '0123456789abcdef', phase: 'running', by: 'visitor', otherwise: 'hold' },
  ...{ steps: [1, 5], percent: 1, alpha: 0.01, alarm: 100 },
  ...{ began: '2026-11-29T18:00:00.000Z', at: '2026-11-29T18:01:01.000Z', until: '2026-11-29T19:00:00.000Z' },
  ...{ baseline: side('v1'), candidate: side('v2') },
  sides: {
    baseline: { visitors: 1500, requests: 3000, failed: 0 },
    candidate: { visitors: 20, requests: 40, failed: 0 },
  },
  metrics: [row('errors (5xx)', 30, false), row('latency p50', 1, false), row('latency p90', 1, true)],
  next: { percent: 5, waitsFor: 'somebody' },
  events: [{ at: '2026-11-29T18:00:00.000Z', kind: 'began', percent: 1, why: '' }],
  ...more,
});
const colors = pc.createColors(false);
const words = (of: RolloutStatus) => rolloutFrame(of, colors).map((line) => line.replace(/.*[░█] /, ''));

test('what is no harm yet is told from what is excluded, until the end', () => {
  expect(words(status()).slice(2)).toEqual(['30 to 1', 'none yet', 'none', '  next: 5 % waits for somebody']);
  expect(rolloutFrame(status(), colors)[0]).toBe(
    '  00:01:01  1 %   visitors 20 of 1,520   requests 40 of 3,040',
  );
  expect(words(status({ phase: 'taken back', next: null })).slice(2)).toEqual(['30 to 1', 'none', 'none']);
});

test('a version that was taken back leaves what it printed', () => {
  const why = 'errors (5xx): the evidence of harm is worth 131 to 1';
  const events = [{ at: '2026-11-29T18:01:00.000Z', kind: 'taken back', percent: 0, why } as const];
  expect(rolloutEnd(status({ phase: 'taken back', next: null, events }), colors)).toEqual([
    `Taken back: ${why}. 20261129-v1 serves all visitors.`,
    'What it printed and answered: pipeline logs shop --release 20261129-v2 --requests',
  ]);
});
