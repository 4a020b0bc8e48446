import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function logged() {
  let text = '';
  const output = createOutput({
    sink: { write: (more: string) => (text += more), isTTY: false, columns: 60 } as never,
    color: false,
    interactive: false,
    now: () => Date.now(),
  });
  return { output, lines: () => text.split('\n').filter((line) => line !== '') };
}

test('long work without a terminal shows its latest words every few seconds', () => {
  const { output, lines } = logged();
  output.progress({ stage: 'build', state: 'started' });
  for (let second = 1; second <= 14; second++) {
    vi.advanceTimersByTime(1_000);
    output.progress({ stage: 'build', state: 'running', detail: `mvn: module ${second} of 14` });
  }
  output.progress({ stage: 'build', state: 'done' });
  expect(lines().slice(0, -1)).toEqual([
    '  build     mvn: module 1 of 14 …',
    '  build     mvn: module 6 of 14 …',
    '  build     mvn: module 11 of 14 …',
  ]);
  output.end();
});

test('work that has nothing new to say is told of once', () => {
  const { output, lines } = logged();
  output.progress({ host: 'web', stage: 'health', state: 'started' });
  vi.advanceTimersByTime(60_000);
  expect(lines()).toEqual(['  web       health …']);
  output.end();
});

test('short work is told of when it is done', () => {
  const { output, lines } = logged();
  output.progress({ host: 'web', stage: 'health', state: 'started' });
  vi.advanceTimersByTime(1_000);
  expect(lines()).toEqual([]);
  output.end();
});

test('a line too long for a log is cut', () => {
  const { output, lines } = logged();
  output.progress({ stage: 'build', state: 'started' });
  output.progress({ stage: 'build', state: 'running', detail: 'x'.repeat(500) });
  vi.advanceTimersByTime(3_000);
  expect(lines()[0]).toHaveLength(60);
  output.end();
});
