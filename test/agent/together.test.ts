import { expect, it } from 'vitest';
import { together } from '../../src/agent/stream.ts';

const RUNNING = {
  unit: 'web.service',
  state: 'active',
  sub: 'running',
  restarts: 1,
  cpuSeconds: 0.25,
  memoryBytes: 100,
  logLines: 3,
  errorLines: 1,
};

it('adds the figures of several units, and shows the one that is not running', () => {
  const away = { ...RUNNING, unit: 'worker.service', state: 'failed', sub: 'failed', restarts: 2 };
  expect(together([RUNNING, { ...away, cpuSeconds: null, memoryBytes: null }])).toEqual({
    unit: 'worker.service',
    state: 'failed',
    sub: 'failed',
    restarts: 3,
    cpuSeconds: 0.25,
    memoryBytes: 100,
    logLines: 6,
    errorLines: 2,
  });
  expect(together([RUNNING])).toEqual(RUNNING);
});
