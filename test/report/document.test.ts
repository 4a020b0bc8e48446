import { expect, expectTypeOf, it } from 'vitest';
import type { Experiment, MetricResult } from '../../src/judge/types.ts';
import { type CanaryReport, parseReport, type ReportVerdict } from '../../src/report/document.ts';
import { report, simulate, verdict } from './sample.ts';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

// A field that the schema does not know is dropped when a report is read, and the verdict computed again
// would be another one.
it('the schema of a report and the judge describe the same data (checked by tsc)', () => {
  expectTypeOf<CanaryReport['experiment']>().toEqualTypeOf<Mutable<Experiment>>();
  expectTypeOf<ReportVerdict['metrics'][number]>().toEqualTypeOf<Mutable<MetricResult>>();
});

it('reads reports of earlier versions, whose sides have a color', () => {
  const saved = JSON.parse(JSON.stringify(report(simulate(5, {}, {}), verdict([])))) as CanaryReport;
  const older = (side: 'baseline' | 'candidate') => {
    const { colour: color, ...rest } = saved[side];
    return { ...rest, color };
  };
  const read = parseReport(
    { ...saved, baseline: older('baseline'), candidate: older('candidate') },
    'a.json',
  );
  expect(read).toEqual(saved);
});
