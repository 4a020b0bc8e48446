import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Collector, Findings } from '../../src/agent/collector.ts';
import { type AccessLogSource, accessLogCollector } from '../../src/agent/collectors/access-logs.ts';

const LINE =
  '{"msec":1.5,"app":"demo","colour":"","release":"","method":"GET","uri":"/x","status":200,' +
  '"bytes":1,"time":0.001,"upstream_time":""}\n';

let directory: string;
let log: string;
let collector: Collector;
let clock = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pipeline-logs-'));
  log = join(directory, 'demo.log');
  clock = 0;
});
afterEach(() => {
  collector.close?.();
  rmSync(directory, { recursive: true });
});

function follow(path: string, more: Partial<AccessLogSource> = {}): void {
  collector = accessLogCollector({ server: 'nginx', path: join(directory, path), ...more }, []);
}

/** Looks, `seconds` after the last look. */
function look(seconds = 1): Findings {
  clock += seconds * 1000;
  return collector.collect(seconds, clock) as Findings;
}

const requests = (found: Findings): number =>
  (found.routes ?? []).reduce((sum, row) => sum + row.requests, 0);

/** What is older than this is told from what is new by the file system's clock. */
const later = () => new Promise((resolve) => setTimeout(resolve, 150));

describe('logs of a directory', () => {
  it('are read from their ends; what appears later, from its start', async () => {
    writeFileSync(log, LINE.repeat(5));
    await later();
    follow('*.log');
    expect(requests(look())).toBe(0);
    appendFileSync(log, LINE);
    writeFileSync(join(directory, 'new.log'), LINE.repeat(3));
    expect(requests(look())).toBe(1);
    expect(requests(look(10))).toBe(3);
  });

  it('may come into being after the agent', () => {
    follow('later/*.log');
    expect(requests(look())).toBe(0);
    mkdirSync(join(directory, 'later'));
    writeFileSync(join(directory, 'later/a.log'), LINE);
    expect(requests(look(10))).toBe(1);
  });

  it('lose nothing where a rotation leaves a log without a name for a while', () => {
    writeFileSync(log, '');
    follow('*.log');
    look();
    appendFileSync(log, LINE);
    renameSync(log, `${log}.1`);
    expect(requests(look(10))).toBe(1); // a scan that finds no demo.log
    appendFileSync(`${log}.1`, LINE);
    writeFileSync(log, LINE);
    expect(requests(look(10))).toBe(2);
  });

  it('are not counted twice where the pattern means rotated ones too', async () => {
    writeFileSync(log, '');
    await later();
    follow('demo.log*');
    look();
    appendFileSync(log, LINE.repeat(4));
    expect(requests(look())).toBe(4);
    renameSync(log, `${log}.1`);
    writeFileSync(log, LINE);
    expect(requests(look(10))).toBe(1);
    expect(requests(look(10))).toBe(0);
  });

  it('are let go when they are gone for good', () => {
    writeFileSync(log, '');
    follow('*.log');
    look();
    rmSync(log);
    look(10);
    look(10);
    expect(requests(look(10))).toBe(0);
  });
});

describe('a log that does not name what is served', () => {
  it('gets the application from the configuration and the release from a link, as it is now', () => {
    writeFileSync(log, '');
    mkdirSync(join(directory, 'r1'));
    symlinkSync('releases/r1', join(directory, 'current'));
    follow('demo.log', { server: 'tomcat', app: 'itrust', releaseLink: join(directory, 'current') });
    look();
    appendFileSync(
      log,
      '10.0.0.7 - - [10/Oct/2024:13:55:36 +0200] "GET /iTrust2/login HTTP/1.1" 200 5 0.012\n',
    );
    expect(look().routes).toMatchObject([
      { server: 'tomcat', app: 'itrust', release: 'r1', route: '/iTrust2/login' },
    ]);
    rmSync(join(directory, 'current'));
    expect(look().routes).toEqual([]);
  });
});

describe('a log that is not in the agreed form', () => {
  it('is counted as unreadable, and the rest is read', () => {
    writeFileSync(log, '');
    follow('demo.log');
    look();
    appendFileSync(log, `nonsense\n${LINE}{"half":\n`);
    const found = look();
    expect(requests(found)).toBe(1);
    expect(found.agent).toEqual({ lines: 3, lines_unreadable: 2, log_skipped: 0 });
  });
});
