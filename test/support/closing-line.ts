/**
 * Prints, as the last line, what continuous integration reads: `N passed, N failed, N skipped`; before it
 * each skipped test with its reason, and each that passed only when `scripts/test.mjs` ran its file again.
 * A test counts once, by its file's last run.
 */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

interface Line {
  readonly name: string;
  /** Why it failed, or was skipped. */
  readonly why: string | undefined;
}

interface Outcome {
  readonly passed: readonly string[];
  /** Tests; or the file, where it did not load, or what comes before its tests failed. */
  readonly failed: readonly Line[];
  readonly skipped: readonly Line[];
}

export default class ClosingLine implements Reporter {
  /** By project and file: its runs, the last one last. */
  private readonly runs = new Map<string, Outcome[]>();
  private unhandled = 0;

  onInit(vitest: Vitest): void {
    vitest.onClose(() => this.print());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.unhandled += unhandled.length;
    for (const module of modules) {
      const key = `${module.project.name} ${module.moduleId}`;
      this.runs.set(key, [...(this.runs.get(key) ?? []), outcomeOf(module)]);
    }
  }

  private print(): void {
    const files = [...this.runs].sort(([a], [b]) => a.localeCompare(b)).map(([, runs]) => runs);
    const last = files.flatMap((runs) => runs.at(-1) ?? []);
    const lines = [
      ...last.flatMap(({ skipped }) => skipped.map(({ name, why }) => `SKIPPED ${name}${reason(why)}`)),
      ...files.flatMap(flaky),
    ];
    const passed = sum(last.map((one) => one.passed.length));
    const failed = sum(last.map((one) => one.failed.length)) + this.unhandled;
    const skipped = sum(last.map((one) => one.skipped.length));
    for (const line of lines) process.stdout.write(`${line}\n`);
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}

/** What failed at first, and did not in the file's last run. */
function flaky(runs: readonly Outcome[]): readonly string[] {
  const stillFailed = new Set(runs.at(-1)?.failed.map(({ name }) => name));
  return runs
    .slice(0, -1)
    .flatMap(({ failed }) => failed)
    .filter(({ name }) => !stillFailed.has(name))
    .map(({ name, why }) => `FLAKY ${name}: passed the second time; first${reason(why)}`);
}

function outcomeOf(module: TestModule): Outcome {
  const file = module.moduleId.replace(`${process.cwd()}/`, '');
  const named = (test: TestCase) => `${file} > ${test.fullName}`;
  const tests = [...module.children.allTests()];
  const failed = tests.flatMap((test): Line[] => {
    const { state, errors } = test.result();
    return state === 'failed' ? [{ name: named(test), why: errors?.[0]?.message }] : [];
  });
  const byItself = module.state() === 'failed' && failed.length === 0;
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  return {
    passed: tests.filter((test) => test.result().state === 'passed').map(named),
    failed: byItself ? [{ name: file, why: errors[0]?.message }] : failed,
    skipped: tests.flatMap((test) => {
      const result = test.result();
      if (result.state === 'passed' || result.state === 'failed') return [];
      return [{ name: named(test), why: result.state === 'skipped' ? result.note : undefined }];
    }),
  };
}

const reason = (why: string | undefined) => (why === undefined ? '' : `: ${why.split('\n')[0]}`);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
