import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { Theirs } from '../../src/host/change.ts';
import { plan } from '../../src/host/plan.ts';
import type { Resource, TheirsResource } from '../../src/host/resource.ts';
import type { Facts } from '../../src/host/state.ts';
import { theirsProbe } from '../../src/host/steps/theirs.ts';
import { requireAgreed, theirsLines, unagreed } from '../../src/host/theirs.ts';
import { NOTHING } from './cases.ts';

const data = (fate: TheirsResource['fate']): TheirsResource => ({
  kind: 'theirs',
  name: 'data of before',
  look: 'true',
  fate,
  says: 'it would be gone',
  ...(fate === 'stop' ? { next: 'Take another host.' } : {}),
});
const settings: Resource = {
  kind: 'file',
  path: '/etc/redis/redis.conf',
  content: 'ours\n',
  spares: ['data of before'],
};
const withData: Facts = { ...NOTHING, theirs: { 'data of before': ['database shop'] } };

describe('what somebody else has on a host', () => {
  it('is spared where a resource says so, and the plan tells of it', () => {
    expect(plan(withData, [data('keep'), settings])).toMatchObject({
      changes: [],
      theirs: [{ id: 'theirs data of before', fate: 'keep', found: ['database shop'] }],
    });
    const fresh = plan(NOTHING, [data('keep'), settings]);
    expect(fresh.theirs).toEqual([]);
    expect(fresh.changes.map(({ id }) => id)).toEqual(['file /etc/redis/redis.conf']);
  });

  it('is a file that somebody else wrote: it is asked for, and a copy is kept', () => {
    const fact = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'other' } as const;
    const planned = (theirs: boolean) =>
      plan({ ...NOTHING, paths: { '/etc/redis/redis.conf': { ...fact, theirs } } }, [settings]);
    expect(planned(true).theirs).toMatchObject([{ id: 'file /etc/redis/redis.conf', fate: 'ask' }]);
    expect(planned(true).script).toContain('keep_theirs /etc/redis/redis.conf');
    expect(planned(false).theirs).toEqual([]);
    expect(planned(false).script).not.toContain('keep_theirs /etc');
  });

  const found = (fate: Theirs['fate'], id = `theirs ${fate}`): Theirs => ({
    id,
    fate,
    says: 'it goes',
    found: ['a', 'b'],
    next: fate === 'stop' ? 'Take another host.' : undefined,
  });

  it('stands in the way until somebody says yes, and for ever where no yes helps', () => {
    const all = [found('keep'), found('ask'), found('stop')];
    expect(unagreed(all, new Set()).map(({ id }) => id)).toEqual(['theirs ask', 'theirs stop']);
    expect(unagreed(all, new Set(['theirs ask', 'theirs stop'])).map(({ id }) => id)).toEqual([
      'theirs stop',
    ]);
  });

  it('is refused as a mistake of the command, with what would be lost', () => {
    const refused = (theirs: readonly Theirs[], agreed?: ReadonlySet<string>): unknown => {
      try {
        requireAgreed('web', theirs, agreed);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const asked = refused([found('ask')]);
    expect(asked).toBeInstanceOf(Failure);
    expect(asked).toMatchObject({ kind: 'usage', output: ['ask: it goes', '  a', '  b'] });
    expect((asked as Failure).next).toContain('prod up -i');
    expect(refused([found('ask'), found('stop')])).toMatchObject({
      kind: 'usage',
      step: 'theirs stop',
      next: 'Take another host.',
    });
    expect(refused([found('ask')], new Set(['theirs ask']))).toBeUndefined();
    expect(refused([found('keep')])).toBeUndefined();
  });

  it('is shown with at most a dozen things', () => {
    const many = { ...found('ask'), found: Array.from({ length: 30 }, (_, index) => `database ${index}`) };
    expect(theirsLines(many)).toHaveLength(14);
    expect(theirsLines(many).at(-1)).toBe('  and 18 more');
  });

  it('is looked for by bash; what cannot be looked at counts as found', () => {
    const resources: Resource[] = [
      { ...data('ask'), name: 'two', look: "echo one\necho 'the other'" },
      { ...data('ask'), name: 'none', look: 'exit 0' },
      { ...data('ask'), name: 'broken', look: 'exit 3' },
    ];
    const printed = execFileSync('bash', ['-c', theirsProbe.script(resources)], { encoding: 'utf8' });
    expect(theirsProbe.parse(printed.trimEnd().split('\n'), resources).theirs).toEqual({
      two: ['one', 'the other'],
      none: [],
      broken: ['(something that could not be looked at)'],
    });
  });
});
