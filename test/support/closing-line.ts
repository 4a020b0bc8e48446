/**
 * Prints, as the last line, what continuous integration reads: `N passed, N failed, N skipped`; and each
 * skipped test with its reason, and each that passed only when it ran again.
 */
import type { Reporter, TestCase, TestModule, TestRunEndReason } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly unknown[],
    _reason: TestRunEndReason,
  ): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: TestCase[] = [];
    const flaky: TestCase[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const { state } = test.result();
        if (test.diagnostic()?.flaky === true) flaky.push(test);
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') counts.failed++;
        else {
          counts.skipped++;
          skipped.push(test);
        }
      }
      // It did not load, or what comes before its tests failed: those count as skipped.
      const failedByItself =
        module.state() === 'failed' && !tests.some((one) => one.result().state === 'failed');
      if (failedByItself) counts.failed++;
    }
    counts.failed += unhandled.length;
    for (const test of skipped) {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      process.stdout.write(`SKIPPED ${named(test)}${note === undefined ? '' : `: ${note}`}\n`);
    }
    for (const test of flaky) {
      const [first] = test.result().errors ?? [];
      const why = first?.message.split('\n')[0] ?? 'no message';
      process.stdout.write(`FLAKY ${named(test)}: passed the second time; first: ${why}\n`);
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}

const named = (test: TestCase) =>
  `${test.module.moduleId.replace(`${process.cwd()}/`, '')}: ${test.fullName}`;
