import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { rolloutCollector, rolloutRow } from '../../src/agent/collectors/rollouts.ts';
import { TABLES } from '../../src/metrics/catalogue.ts';

const event = (second: number) => ({
  at: new Date(second * 1000).toISOString(),
  kind: 'step',
  percent: 5,
  why: 'x',
});
const status = (id: string, second: number, count = 1) =>
  JSON.stringify({
    app: 'shop',
    id,
    at: new Date(second * 1000).toISOString(),
    events: Array.from({ length: count }, (_, i) => event(i)),
  });

describe('the status of a rollout', () => {
  it('is sent as it is', () => {
    const text = status('a', 1);
    expect(rolloutRow(`${text}\n`)).toMatchObject({ app: 'shop', id: 'a', status: text });
  });

  it('loses its oldest events where they are too many for a sample', () => {
    const text = rolloutRow(status('a', 1, 2000))?.status ?? '';
    expect(text.length).toBeLessThanOrEqual(TABLES.rollouts.columns.status.max);
    const { events, app } = JSON.parse(text) as { events: unknown[]; app: string };
    expect(app).toBe('shop');
    expect(events.length).toBeGreaterThan(50);
    expect(events.at(-1)).toEqual(event(1999));
  });

  it.each([
    ['no JSON', '{"app"'],
    ['null', 'null'],
    ['another document', '{"app":"shop","id":"a"}'],
  ])('that is %s is none', (_title, text) => expect(rolloutRow(text)).toBeUndefined());
});

describe('rollouts of this host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-rollouts-'));
  const [now, ended] = [join(folder, 'now'), join(folder, 'ended')];
  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(now, { recursive: true });
    mkdirSync(join(ended, 'shop'), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const collector = (lost: () => number = () => 0, at = { now, ended }) => {
    const { collect } = rolloutCollector(lost, at.now, at.ended);
    expect(collect(0, 0)).toEqual({});
    return async () => {
      const { rollouts = [], problems = [] } = await collect(1, 0);
      return { ids: rollouts.map(({ id }) => id), problems: problems.map(({ message }) => message) };
    };
  };

  it('are sent when they changed', async () => {
    const take = collector();
    writeFileSync(join(now, 'shop.json'), status('a', 1));
    expect((await take()).ids).toEqual(['a']);
    expect((await take()).ids).toEqual([]);
    writeFileSync(join(now, 'shop.json'), status('a', 2));
    writeFileSync(join(now, 'shop.json.new'), '{"app"');
    expect(await take()).toEqual({ ids: ['a'], problems: [] });
  });

  it('that have ended are sent at the start and after samples were lost, some at a time', async () => {
    for (const id of 'abcdefg') writeFileSync(join(ended, 'shop', `${id}.json`), status(id, 1));
    writeFileSync(join(ended, 'shop', 'a.events.jsonl'), '');
    let lost = 0;
    const take = collector(() => lost);
    expect((await take()).ids).toEqual([...'abcde']);
    expect((await take()).ids).toEqual([...'fg']);
    expect((await take()).ids).toEqual([]);
    lost = 1;
    expect((await take()).ids).toEqual([...'abcde']);
  });

  it('do not hide behind a file that is none: it is a problem, said once', async () => {
    writeFileSync(join(now, 'a.json'), '[]');
    writeFileSync(join(now, 'shop.json'), status('a', 1));
    const take = collector();
    expect(await take()).toEqual({ ids: ['a'], problems: [expect.stringContaining('a.json is not')] });
    expect((await take()).problems).toEqual([]);
  });

  it('are none where there never was one', async () => {
    const nowhere = join(folder, 'nowhere');
    expect(await collector(() => 0, { now: nowhere, ended: nowhere })()).toEqual({ ids: [], problems: [] });
  });
});
