/** `pipeline logs`: what its options mean, how lines look, and where they go. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { afterAll, describe, expect, it } from 'vitest';
import type { Session } from '../../src/cli/command.ts';
import { type LogOptions, readOptions } from '../../src/cli/logs/asked.ts';
import { lineSink } from '../../src/cli/logs/pager.ts';
import { documentLine, shownLine } from '../../src/cli/logs/show.ts';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import type { LogLine } from '../../src/logs/line.ts';

const NOW = new Date(2026, 10, 29, 12);
const options = (given: Partial<LogOptions>): LogOptions => ({
  ...{ follow: false, requests: false, inventory: undefined, since: undefined, until: undefined },
  ...{ lines: undefined, grep: undefined, level: undefined, release: undefined, colour: undefined },
  ...{ host: undefined, status: undefined, unit: undefined },
  ...given,
});
const asked = (given: Partial<LogOptions>) => readOptions(options(given), NOW);

describe('options', () => {
  it('show the latest lines, all since a time, or a few before what comes', () => {
    expect(asked({})).toMatchObject({ count: 200, journal: true, requests: false });
    expect(asked({ since: '1h' })).toMatchObject({ count: undefined });
    expect(asked({ since: '1h', lines: 5 })).toMatchObject({ count: 5 });
    expect(asked({ follow: true })).toMatchObject({ count: 10 });
    expect(asked({ status: '5xx' })).toMatchObject({ journal: false, requests: true });
    expect(asked({ requests: true })).toMatchObject({ journal: true, requests: true });
  });
  it('say every mistake at once', () => {
    const wrong = { since: 'soon', until: 'x', lines: -1, grep: 'a(', status: '9xx', follow: true };
    const failure = (() => {
      try {
        return asked(wrong);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(Failure);
    const { kind, message, output } = failure as Failure;
    expect([kind, message, output.length]).toEqual(['usage', expect.stringContaining('--since'), 5]);
    expect(() => asked({ since: '1h', until: '2h' })).toThrow('--since is later than --until');
  });
});

const line: LogLine = {
  ...{ at: new Date(2026, 10, 29, 12, 5, 6, 7).getTime() + 0.25, host: 'web-1', source: 'blue' },
  ...{ isRequest: false, level: 'error', release: 'r1', message: 'no card\n  at pay' },
  ...{ fields: { order: '7', pid: '1', why: 'a b' }, isCut: true },
};

describe('a line', () => {
  const text = (hosts: readonly string[], color = false) =>
    shownLine({ colors: pc.createColors(color), hosts });
  it('is time, host, source, level, message, fields; its other lines stand below it', () => {
    expect(text(['web-1', 'web-10'])(line)).toBe(
      '11-29 12:05:06.007  web-1   blue   ERROR  no card  order=7 why="a b"\n      at pay … ' +
        '(the line is longer)\n',
    );
    expect(text(['web-1'])({ ...line, level: 'info', message: 'ok', fields: {}, isCut: false })).toBe(
      '11-29 12:05:06.007  blue   ok\n',
    );
    expect(text(['web-1'], true)(line)).toContain('\u001b[31m');
  });
  it('is an object in JSON, to the microsecond', () => {
    const document = JSON.parse(documentLine({ ...line, release: '' }));
    expect(document).toMatchObject({ kind: 'log', release: null, cut: true, fields: { order: '7' } });
    expect(document.at).toMatch(/:05:06\.007250Z$/);
  });
});

describe('lines go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-pager-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const session = (pager: string | undefined, isTerminal: boolean, json = false) => {
    const written: string[] = [];
    const complained: string[] = [];
    const made = {
      context: quietContext({ env: { ...process.env, PAGER: pager } }),
      common: { json, verbose: false, config: undefined },
      streams: {
        isTerminal,
        write: async (text: string) => written.push(text) > 0,
        complain: (text: string) => complained.push(text),
      },
    } as unknown as Session;
    return { made, written, complained };
  };

  it('to a pager at a terminal, and complaints after it', async () => {
    const file = join(folder, 'paged');
    const { made, written, complained } = session(`cat >${file}`, true);
    const sink = lineSink(made, true);
    for (let i = 0; i < 2000; i++) await sink.write(`${'x'.repeat(100)}\n`);
    sink.complain('web-2 is away');
    expect(complained).toEqual([]);
    await sink.end();
    expect(readFileSync(file)).toHaveLength(202_000);
    expect([written, complained]).toEqual([[], ['web-2 is away']]);
  });
  it('no further where the pager is left', async () => {
    const sink = lineSink(session('head -n 1 >/dev/null', true).made, true);
    let more = true;
    for (let i = 0; i < 10_000 && more; i++) more = await sink.write(`${'x'.repeat(1000)}\n`);
    expect(more).toBe(false);
    await sink.end();
  });
  it('straight on with -f, with --json, into a pipe, and without a pager', async () => {
    const file = join(folder, 'not-paged');
    for (const [given, page] of [
      [session(`cat >${file}`, true), false],
      [session(`cat >${file}`, true, true), true],
      [session(`cat >${file}`, false), true],
      [session('', true), true],
    ] as const) {
      const sink = lineSink(given.made, page);
      expect(await sink.write('a\n')).toBe(true);
      await sink.end();
      expect(given.written).toEqual(['a\n']);
    }
    expect(existsSync(file)).toBe(false);
  });
});
