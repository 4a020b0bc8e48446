import { describe, expect, it } from 'vitest';
import { draw } from '../../src/hub/charts/charts.ts';
import { hostCharts } from '../../src/hub/charts/host-charts.ts';
import type { Row } from '../../src/metrics/catalogue.ts';
import { window } from '../metrics/windows.ts';

const NOW = 1_800_000_000_000;

describe('the chart of disk traffic', () => {
  const disk = (mount: string, read: number | null): Row<'disks'> => ({
    mount,
    device: 'overlay',
    size: 100,
    used: 50,
    inodes_used: 0,
    read,
    written: read,
    reads: null,
    writes: null,
    busy: null,
  });
  const drawn = (disks: readonly Row<'disks'>[]) => {
    const windows = [window({ at: NOW, seconds: 10, disks })];
    const range = { from: NOW - 10_000, to: NOW, stepSeconds: 10 };
    const { panels } = draw(hostCharts(windows), windows, range, false);
    return panels.find(({ id }) => id === 'disk-traffic')?.series.map(({ values }) => values);
  };

  it('is empty where the kernel counts none, as for an overlay: that is no zero', () => {
    expect(drawn([disk('/', null)])).toEqual([[null], [null]]);
  });

  it('sums up what was measured', () => {
    expect(drawn([disk('/', 5), disk('/data', 7), disk('/overlay', null)])).toEqual([[12], [12]]);
    expect(drawn([disk('/', 0)])).toEqual([[0], [0]]);
  });
});
