import { describe, expect, it } from 'vitest';
import { harmless, shorten } from '../../src/logs/harmless.ts';
import { hidingLines } from '../../src/logs/hide.ts';
import { beginningsAlone, parseEntry, SplitLines } from '../../src/logs/journal.ts';
import { levelOfField, levelOfText } from '../../src/logs/level.ts';
import { lineOfEntry, lineOfRequest } from '../../src/logs/line.ts';
import { parsePlacement, releaseAt } from '../../src/logs/placed.ts';
import { parseRequest, parseStatuses } from '../../src/logs/request.ts';
import { parseStructured } from '../../src/logs/structured.ts';
import { sliceOf, sourceOf } from '../../src/logs/units.ts';
import { isWanted, searching } from '../../src/logs/wanted.ts';
import { parseWhen } from '../../src/logs/when.ts';

const entry = (fields: Readonly<Record<string, unknown>>) =>
  JSON.stringify({
    __CURSOR: 's=1;i=2',
    __REALTIME_TIMESTAMP: '1764417600123456',
    PRIORITY: '6',
    _SYSTEMD_UNIT: 'pipeline-shop@blue.service',
    SYSLOG_IDENTIFIER: 'shop',
    _PID: '42',
    MESSAGE: 'hello',
    ...fields,
  });
const parsed = () => {
  const read = parseEntry(entry({}));
  if (read === undefined) throw new Error('no entry');
  return read;
};
const shown = (fields: Readonly<Record<string, unknown>>, secrets: readonly string[] = []) => {
  const parsed = parseEntry(entry(fields));
  if (parsed === undefined) throw new Error('no entry');
  const standing = { host: 'web-1', source: 'blue', release: 'r1' };
  return lineOfEntry(parsed, standing, hidingLines(secrets)('web-1 blue'));
};

describe('entries of the journal', () => {
  it('have a time to the microsecond, a unit and a text', () => {
    expect(parseEntry(entry({}))).toMatchObject({
      at: 1764417600123.456,
      unit: 'pipeline-shop@blue.service',
      message: 'hello',
      goesOn: false,
    });
    expect(parseEntry('-- No entries --')).toBeUndefined();
    expect(parseEntry('{}')).toBeUndefined();
  });
  it('that are no text come as bytes, twice as a list', () => {
    expect(parseEntry(entry({ MESSAGE: [104, 105, 255] }))?.message).toBe('hi\ufffd');
    expect(parseEntry(entry({ MESSAGE: ['a', 'b'] }))?.message).toBe('a\nb');
    expect(parseEntry(entry({ MESSAGE: null }))?.message).toBe('');
  });
  it('of systemd are about a unit', () => {
    const about = {
      UNIT: 'pipeline-shop@green.service',
      _SYSTEMD_UNIT: 'init.scope',
      JOB_TYPE: 'start',
      _PID: '1',
    };
    expect(parseEntry(entry({ ...about, _PID: '7' }))).toMatchObject({ unit: 'init.scope', starts: false });
    expect(parseEntry(entry(about))).toMatchObject({ unit: 'pipeline-shop@green.service', starts: true });
  });
  it('that are cut off are read as far as they go', () => {
    const cut = entry({ MESSAGE: `${'y'.repeat(100)}\\n` }).slice(0, -6);
    const parsed = parseEntry(cut, true);
    expect(parsed).toMatchObject({ unit: 'pipeline-shop@blue.service', goesOn: true });
    expect(parsed?.message.startsWith('yyyy')).toBe(true);
    const bytes = entry({ MESSAGE: [104, 105, 106] });
    expect(parseEntry(bytes.slice(0, bytes.indexOf('106') + 1), true)?.message).toBe('hi');
  });
  it('that continue a line are known by their process', () => {
    const splits = new SplitLines();
    const of = (pid: string, goesOn: boolean) => splits.continues({ unit: 'u', pid, goesOn });
    expect([of('1', true), of('2', false), of('1', true), of('1', false), of('1', false)]).toEqual([
      ...[false, false, true, true, false],
    ]);
  });
});

describe('entries that come the latest first', () => {
  it('show of a split line the beginning alone, whatever stands between its parts', async () => {
    const made = (text: string, pid: string, goesOn = false) => ({ ...parsed(), message: text, pid, goesOn });
    async function* given() {
      yield made('last', '1');
      yield made('c', '2');
      yield made('other', '3');
      yield made('b', '2', true);
      yield made('a', '2', true);
      yield made('first', '2');
    }
    const seen: string[] = [];
    for await (const { message } of beginningsAlone(given())) seen.push(message);
    expect(seen).toEqual(['last', 'other', 'a', 'first']);
  });
});

describe('lines', () => {
  it('lose escapes, and show other control characters', () => {
    expect(harmless('\u001b[31mred\u001b[0m\u0007 \u009b2J\ttab\r\n\u202eevil')).toBe(
      'red\\x07 \ttab\n\\u202eevil',
    );
    expect(harmless('\u001b]0;title\u0007x')).not.toContain('\u001b');
    expect(shown({ MESSAGE: [27, 91, 50, 74, 104, 105] }).message).toBe('hi');
  });
  it('are shortened, never within a character', () => {
    expect(shorten('a😀b', 2)).toEqual({ text: 'a', isCut: true });
    expect(shown({ MESSAGE: 'x'.repeat(20_000) })).toMatchObject({ isCut: true });
    expect(shown({ MESSAGE: 'x'.repeat(20_000) }).message).toHaveLength(8_000);
  });
  it('hide secrets, also one that would be cut in two', () => {
    const secret = 'correct-horse';
    const message = `${'x'.repeat(7_995)}${secret} and ${secret}`;
    expect(shown({ MESSAGE: message }, [secret]).message).not.toContain('corre');
    expect(shown({ MESSAGE: 'postgres://me:pw@db/x' }).message).toBe('postgres://***@db/x');
    expect(shown({ MESSAGE: '{"msg":"in","password":"hunter2","user":{"token":"abc"}}' }).fields).toEqual({
      password: '***',
      'user.token': '***',
    });
  });
  it('hide a key over several lines', () => {
    const hide = hidingLines([])('web-1 blue');
    const key = [
      '-----BEGIN RSA PRIVATE KEY-----',
      'MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn',
      '-----END RSA PRIVATE KEY-----',
      'MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn',
    ].map((text) => hide(text));
    expect(key[1]).toBe('***');
    expect(key[3]).not.toBe('***');
  });
  it('say their level by priority, by field, or by a word', () => {
    expect(shown({ PRIORITY: '3' }).level).toBe('error');
    expect(shown({ MESSAGE: '{"level":30,"msg":"x"}' }).level).toBe('info');
    expect(shown({ MESSAGE: '{"severity":"WARNING","message":"x"}' }).level).toBe('warning');
    expect(shown({ PRIORITY: '4', MESSAGE: 'ERROR x' }).level).toBe('warning');
    expect(shown({ _PID: '1', UNIT: 'a.service', MESSAGE: 'Started sh -c echo ERROR' }).level).toBe('info');
    expect(levelOfText('2026-11-29 12:00:00 [main] ERROR c.x.Y - broken')).toBe('error');
    expect(levelOfText('TypeError: x is not a function')).toBe('error');
    expect(levelOfText('java.lang.NullPointerException')).toBe('error');
    expect(levelOfText('no error was found; INFORMATION follows')).toBeUndefined();
    expect([levelOfField(60), levelOfField('fatal'), levelOfField('50'), levelOfField('?')]).toEqual([
      ...['critical', 'critical', 'error', undefined],
    ]);
  });
});

describe('lines in JSON', () => {
  it('are told by field', () => {
    const text =
      '{"time":1764417600123,"level":"info","msg":"paid","order":7,"err":{"code":"E1","list":[1]}}';
    expect(parseStructured(text)).toEqual({
      message: 'paid',
      level: 'info',
      at: 1764417600123,
      fields: { order: '7', 'err.code': 'E1', 'err.list': '[1]' },
    });
  });
  it('are others where they say neither a level nor a message, or are none', () => {
    for (const text of ['{"a":1}', '[1]', '{"msg":', 'plain', '{}', 'null'])
      expect(parseStructured(text)).toBeUndefined();
  });
  it('show their own time where it is another', () => {
    expect(shown({ MESSAGE: '{"msg":"a","time":"2025-11-29T12:00:00.1Z"}' }).fields).toEqual({});
    expect(shown({ MESSAGE: '{"msg":"a","time":"2025-11-29T11:00:00Z"}' }).fields).toEqual({
      time: '2025-11-29T11:00:00.000Z',
    });
  });
});

describe('requests', () => {
  const line =
    '{"msec":1764417600.123,"app":"shop","colour":"blue","release":"r1","method":"GET",' +
    '"uri":"/pay?token=abc","status":502,"bytes":5,"time":0.031,"upstream_status":"502","id":"f00"}';
  it('are lines of a level that their status says', () => {
    const request = parseRequest(line);
    if (request === undefined) throw new Error('no request');
    expect(lineOfRequest(request, 'web-1', hidingLines([])('n'))).toMatchObject({
      at: 1764417600123,
      level: 'error',
      release: 'r1',
      message: 'GET /pay?token=*** 502 31 ms',
      fields: { colour: 'blue' },
    });
    expect(parseRequest(line.replace('502,', '000,'))?.status).toBe(0);
    expect(parseRequest(line.slice(0, 40))).toBeUndefined();
  });
  it("are read as an earlier version's nginx writes them", () => {
    expect(parseRequest(line.replace('"colour"', '"variant"'))).toEqual(parseRequest(line));
  });
  it('are asked for by status', () => {
    expect(parseStatuses('5xx,404, 301-308')).toEqual([
      { from: 500, to: 599 },
      { from: 404, to: 404 },
      { from: 301, to: 308 },
    ]);
    for (const wrong of ['', '6xx', 'abc', '5xx,', '500-400']) expect(parseStatuses(wrong)).toBeUndefined();
  });
});

describe('what is wanted', () => {
  const line = { ...shown({}), level: 'warning', release: '20261129-120000-abcdef1' } as const;
  it('is that bad or worse, of a release, a colour, a time', () => {
    expect(isWanted(line, { level: 'warning' })).toBe(true);
    expect(isWanted(line, { level: 'error' })).toBe(false);
    expect(isWanted(line, { release: 'abcdef1234' })).toBe(true);
    expect(isWanted(line, { release: '1234567' })).toBe(false);
    expect(isWanted({ ...line, release: '' }, { release: '' })).toBe(false);
    expect(isWanted(line, { colour: 'green' })).toBe(false);
    expect(isWanted({ ...line, source: 'blue-worker-2' }, { colour: 'blue' })).toBe(true);
    expect(isWanted(line, { since: line.at + 1 })).toBe(false);
    expect(isWanted(line, { until: line.at - 1 })).toBe(false);
  });
  it('is searched in requests as they are shown; capitals count where there are some', () => {
    const request = { ...line, isRequest: true, message: 'GET /Pay 502 31 ms' };
    expect(isWanted(request, { grep: searching('^get /pay') })).toBe(true);
    expect(isWanted(request, { grep: searching('PAY') })).toBe(false);
    expect(isWanted(request, { statuses: [{ from: 500, to: 599 }] })).toBe(true);
    expect(isWanted(request, { statuses: [{ from: 404, to: 404 }] })).toBe(false);
  });
});

describe('releases', () => {
  it('are those that were in the colour then', () => {
    const placements = ['100 blue r1', '200 green r2', '300 blue r3', 'x'].flatMap(
      (text) => parsePlacement(text) ?? [],
    );
    const of = (source: string, at: number) => releaseAt(placements, source, at * 1000);
    expect([
      of('blue', 250),
      of('blue-2', 300),
      of('green-worker', 250),
      of('green', 150),
      of('job-x', 400),
    ]).toEqual(['r1', 'r3', 'r2', '', '']);
  });
  it("units' names are systemd's", () => {
    expect(sliceOf('check-box.io')).toBe('system-pipeline\\x2dcheck\\x2dbox.io.slice');
    expect(sourceOf({ unit: 'pipeline-shop@blue-2.service', identifier: 'shop' }, 'shop')).toBe('blue-2');
    expect(sourceOf({ unit: 'nginx.service', identifier: 'nginx' }, undefined)).toBe('nginx');
    expect(sourceOf({ unit: '', identifier: '' }, undefined)).toBe('kernel');
  });
});

describe('times', () => {
  const now = new Date(2026, 10, 29, 12, 30, 0);
  const at = (text: string) => parseWhen(text, now);
  it('are before now, of a day, or whole', () => {
    expect(at('90s')).toBe(now.getTime() - 90_000);
    expect(at('1.5h')).toBe(now.getTime() - 5_400_000);
    expect(at('2d')).toBe(now.getTime() - 172_800_000);
    expect(at('12:00')).toBe(new Date(2026, 10, 29, 12).getTime());
    expect(at('23:00:05')).toBe(new Date(2026, 10, 28, 23, 0, 5).getTime());
    expect(at('yesterday')).toBe(new Date(2026, 10, 28).getTime());
    expect(at('2026-11-01')).toBe(new Date(2026, 10, 1).getTime());
    expect(at('2026-11-01 14:05')).toBe(new Date(2026, 10, 1, 14, 5).getTime());
    expect(at('2026-11-01T14:05:06.5Z')).toBe(Date.UTC(2026, 10, 1, 14, 5, 6, 500));
    expect(at('2026-11-01T14:05:06+02:00')).toBe(Date.UTC(2026, 10, 1, 12, 5, 6));
  });
  it('that are none are refused', () => {
    for (const text of ['', '1y', '25:00', '12:61', '2026-02-30', '2026-13-01', 'soon', '12'])
      expect([text, at(text)]).toEqual([text, undefined]);
  });
});
