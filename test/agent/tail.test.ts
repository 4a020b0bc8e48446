import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tail, type TailOptions } from '../../src/agent/logs/tail.ts';

let directory: string;
let log: string;
const open: Tail[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pipeline-tail-'));
  log = join(directory, 'access.log');
});
afterEach(() => {
  for (const tail of open.splice(0)) tail.close();
  rmSync(directory, { recursive: true });
});

function tailOf(options?: TailOptions) {
  const tail = new Tail(log, options);
  open.push(tail);
  return tail;
}

function linesOf(tail: Tail): string[] {
  const lines: string[] = [];
  tail.read((line) => lines.push(line));
  return lines;
}

describe('a log', () => {
  it('is read from its end when it was there before, and from its start when it appears later', () => {
    writeFileSync(log, 'old\n');
    const there = tailOf();
    expect(linesOf(there)).toEqual([]);
    appendFileSync(log, 'new\n');
    expect(linesOf(there)).toEqual(['new']);

    unlinkSync(log);
    const absent = tailOf();
    expect(linesOf(absent)).toEqual([]);
    writeFileSync(log, 'first\n');
    expect(linesOf(absent)).toEqual(['first']);
  });

  it('is read from its start on request', () => {
    writeFileSync(log, 'a\n\nb\n');
    expect(linesOf(tailOf({ fromStart: true }))).toEqual(['a', 'b']);
  });

  it('gives lines when they are complete, also where they were written in pieces', () => {
    const tail = tailOf({ fromStart: true });
    writeFileSync(log, 'on');
    expect(linesOf(tail)).toEqual([]);
    appendFileSync(log, 'e\ntwo\nthr');
    expect(linesOf(tail)).toEqual(['one', 'two']);
    appendFileSync(log, 'ee\n');
    expect(linesOf(tail)).toEqual(['three']);
  });

  it('keeps characters whole where a read ends inside one', () => {
    writeFileSync(log, 'äöü€\n'.repeat(20));
    expect(linesOf(tailOf({ fromStart: true, maxBytesPerRead: 7 })).length).toBeLessThan(20);
    const tail = tailOf({ fromStart: true, maxBytesPerRead: 7 });
    const lines: string[] = [];
    for (let i = 0; i < 60; i++) lines.push(...linesOf(tail));
    expect(lines).toEqual(Array(20).fill('äöü€'));
  });

  it('that is renamed and made anew loses no line, also those written to the old one late', () => {
    writeFileSync(log, '');
    const tail = tailOf();
    linesOf(tail);
    appendFileSync(log, '1\n');
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, '2\n');
    expect(linesOf(tail)).toEqual(['1', '2']);
    writeFileSync(log, '3\n');
    appendFileSync(`${log}.1`, '4\n');
    expect(linesOf(tail)).toEqual(['4', '3']);
    appendFileSync(`${log}.1`, '5\n'); // a worker that has not yet heard of it
    appendFileSync(log, '6\n');
    expect(linesOf(tail)).toEqual(['5', '6']);
    for (let i = 0; i < 3; i++) linesOf(tail);
    appendFileSync(`${log}.1`, 'too late\n');
    appendFileSync(log, '7\n');
    expect(linesOf(tail)).toEqual(['7']);
  });

  it('that is truncated (copytruncate) is read from its start again', () => {
    writeFileSync(log, '');
    const tail = tailOf();
    linesOf(tail);
    appendFileSync(log, 'one\ntwo\nhalf a li');
    expect(linesOf(tail)).toEqual(['one', 'two']);
    truncateSync(log);
    appendFileSync(log, 'three\n');
    expect(linesOf(tail)).toEqual(['three']);
  });

  it('that is truncated and has grown beyond where it was is noticed by its beginning', () => {
    writeFileSync(log, 'a first line\n');
    const tail = tailOf();
    linesOf(tail);
    truncateSync(log);
    appendFileSync(log, 'another beginning\nand more than before\n');
    expect(linesOf(tail)).toEqual(['another beginning', 'and more than before']);
  });

  it('drops a line that is too long, counts it, and goes on behind it', () => {
    writeFileSync(log, '');
    const tail = tailOf();
    linesOf(tail);
    appendFileSync(log, `before\n${'x'.repeat(400_000)}`);
    const lines: string[] = [];
    const first = tail.read((line) => lines.push(line));
    appendFileSync(log, 'end\nafter\n');
    const second = tail.read((line) => lines.push(line));
    expect(lines).toEqual(['before', 'after']);
    expect(first.overlong + second.overlong).toBe(1);
  });

  it('reads a bounded part at a time, and skips what it can never catch up with, saying how much', () => {
    writeFileSync(log, '');
    const tail = tailOf({ maxBytesPerRead: 100, maxBacklogBytes: 1000 });
    linesOf(tail);
    appendFileSync(log, 'nine char\n'.repeat(50));
    expect(linesOf(tail)).toHaveLength(10);
    appendFileSync(log, 'nine char\n'.repeat(1000));
    const lines: string[] = [];
    const { skippedBytes } = tail.read((line) => lines.push(line));
    expect(skippedBytes).toBe(500 - 100 + 10_000 - 100);
    expect(new Set(lines)).toEqual(new Set(['nine char']));
    expect(linesOf(tail)).toEqual([]);
  });

  it('survives bursts of 10,000 lines a second in little memory', () => {
    const line = `{"msec":1700000000.123,"uri":"/api/study/load/5e8f","pad":"${'x'.repeat(300)}"}\n`;
    writeFileSync(log, '');
    const tail = tailOf();
    linesOf(tail);
    const burst = line.repeat(10_000);
    let lines = 0;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let second = 0; second < 10; second++) {
      appendFileSync(log, burst);
      tail.read(() => lines++);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(lines).toBe(100_000);
    expect(most).toBeLessThan(16e6);
  });
});
