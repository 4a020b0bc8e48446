import { describe, expect, it } from 'vitest';
import { bucketOrder, SHARE_BUCKETS, shareFolder } from '../../src/proxy/shares.ts';

const share = (percent: number, more = {}) =>
  shareFolder({ rollout: '0123abcd', seed: 'seed-1', candidate: 'green', percent, ...more });

describe('the buckets of a candidate', () => {
  it('are all of them, in an order that only the seed tells', () => {
    expect([...bucketOrder('a')].sort((a, b) => a - b)).toEqual([...Array(SHARE_BUCKETS).keys()]);
    expect(bucketOrder('a')).toEqual(bucketOrder('a'));
    expect(bucketOrder('a').slice(0, 10)).not.toEqual(bucketOrder('b').slice(0, 10));
  });

  it('only grow with the share', () => {
    let before: readonly string[] = [];
    for (const percent of [0, 0.1, 1, 5, 25.5, 50, 99.9, 100]) {
      const { files } = share(percent);
      expect(files).toEqual(expect.arrayContaining([...before]));
      expect(files).toHaveLength(percent * 10 + 1);
      before = files;
    }
  });

  it('are what green does not have where the candidate is blue', () => {
    const green = new Set(share(5).files);
    const blue = share(5, { candidate: 'blue' }).files;
    expect(blue.filter((file) => green.has(file))).toEqual([]);
    expect(blue).toContain('baseline');
    expect(blue).toHaveLength(951);
  });

  it('lie in a folder that says the share of green, and whose it is', () => {
    expect(share(5).name).toBe('w5-0123abcd');
    expect(share(0.5, { candidate: 'blue' }).name).toBe('w99.5-0123abcd');
    expect(share(0)).toEqual({ name: 'w0-0123abcd', files: ['candidate'] });
  });

  it.each([-1, 100.1, 0.05, Number.NaN])('refuses %d %%', (percent) => {
    expect(() => share(percent)).toThrow(/is no share/);
  });
});
