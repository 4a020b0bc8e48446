import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeSocketFolder } from '../../src/ssh/master.ts';

/** No process has it: beyond what the kernel gives. */
const NOBODY = 4_194_305;

describe('the folder of a control socket', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'sock'));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  test('is for the user alone, and new every time', () => {
    const folder = makeSocketFolder(base);
    expect(dirname(folder)).toBe(base);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(makeSocketFolder(base)).not.toBe(folder);
  });

  test('lies where the socket has a name that a socket can have', () => {
    const deep = join(base, 'x'.repeat(80));
    mkdirSync(deep);
    const folder = makeSocketFolder(deep);
    expect(dirname(folder)).toBe('/tmp');
    rmSync(folder, { recursive: true });
  });

  test('takes the empty ones of dead programs away, and nothing else', () => {
    const make = (name: string) => {
      mkdirSync(join(base, name));
      return join(base, name);
    };
    const dead = make(`pipeline-ssh-${NOBODY}-abc`);
    const inUse = make(`pipeline-ssh-${NOBODY}-def`);
    writeFileSync(join(inUse, 's'), '');
    const alive = make(`pipeline-ssh-${process.ppid}-abc`);
    const other = make('pipeline-ssh-other');
    makeSocketFolder(base);
    expect([dead, inUse, alive, other].map((path) => existsSync(path))).toEqual([false, true, true, true]);
  });
});
