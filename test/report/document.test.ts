import { expectTypeOf, it } from 'vitest';
import type { Experiment, MetricResult } from '../../src/judge/types.ts';
import type { CanaryReport, ReportVerdict } from '../../src/report/document.ts';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

// A field that the schema does not know is dropped when a report is read, and the verdict computed again
// would be another one.
it('the schema of a report and the judge describe the same data (checked by tsc)', () => {
  expectTypeOf<CanaryReport['experiment']>().toEqualTypeOf<Mutable<Experiment>>();
  expectTypeOf<ReportVerdict['metrics'][number]>().toEqualTypeOf<Mutable<MetricResult>>();
});
