import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { auditCollector, auditRow } from '../../src/agent/collectors/audit.ts';

const entry = (release: string) =>
  JSON.stringify({
    at: '2026-01-02T03:04:05.000Z',
    by: 'ann@laptop',
    action: 'deploy',
    result: 'live',
    app: 'shop',
    release,
  });

describe('a line of the audit log', () => {
  it.each([
    ['no JSON', '{"at"'],
    ['no object', '[]'],
    ['nothing', 'null'],
    ['no time', '{"at":"yesterday","action":"deploy"}'],
    ['no action', '{"at":"2026-01-02T03:04:05.000Z"}'],
    ['texts that are none', '{"at":1,"action":{}}'],
  ])('that is %s is left out', (_title, text) => expect(auditRow(text, true)).toBeUndefined());
});

describe('the audit log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-audit-'));
  const path = join(folder, 'audit.jsonl');
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is told from its end at the start, then as it grows, and again after samples were lost', async () => {
    let lost = 0;
    const collector = auditCollector(() => lost, path);
    expect(await collector.collect(0, 0)).toEqual({});
    const take = async () =>
      ((await collector.collect(1, 0)).audit ?? []).map(({ release, fresh }) => `${release} ${fresh}`.trim());
    expect(await take()).toEqual([]);
    writeFileSync(path, `${Array.from({ length: 25 }, (_, i) => entry(`r${i}`)).join('\n')}\n`);
    expect(await take()).toHaveLength(20);
    appendFileSync(path, `${entry('new')}\nnonsense\n`);
    expect(await take()).toEqual(['r20 yes', 'r21 yes', 'r22 yes', 'r23 yes', 'r24 yes', 'new yes']);
    expect(await take()).toEqual([]);
    lost = 3;
    expect((await take())[0]).toBe('r0');
    expect(await take()).toHaveLength(6);
    expect(await take()).toEqual([]);
    collector.close?.();
  });
});
