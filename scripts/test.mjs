// Runs the tests, with Vitest's own arguments: node scripts/test.mjs [--project 'host*'] [FILTER …]. Files
// with hosts that failed run once more in the end, whole, on new hosts, one at a time. What passes only then
// is named FLAKY and counts as passed. Where many failed, something else is wrong: nothing runs again.
import { createVitest, parseCLI, TestsNotFoundError } from 'vitest/node';

const MOST_FILES = 5;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
process.env.NODE_ENV ??= 'test';
const vitest = await createVitest('test', { ...options, run: true, watch: false });
try {
  const { testModules, unhandledErrors } = await vitest.start(filter);
  const again = toRunAgain(testModules).sort((a, b) => a.moduleId.localeCompare(b.moduleId));
  const untimely = [...unhandledErrors];
  if (again.length > 0)
    console.log(`\nOnce more, on new hosts: ${again.map((module) => module.relativeModuleId).join(', ')}`);
  for (const module of again) {
    const specification = module.project.createSpecification(module.moduleId);
    untimely.push(...(await vitest.runTestSpecifications([specification])).unhandledErrors);
  }
  const failed = vitest.state.getTestModules().some((module) => !module.ok());
  process.exitCode = failed || untimely.length > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof TestsNotFoundError)) vitest.logger.printError(error, { fullStack: true });
  process.exitCode = 1;
} finally {
  await vitest.exit();
}

function toRunAgain(modules) {
  const failed = modules.filter((module) => !module.ok());
  return failed.length > MOST_FILES
    ? []
    : failed.filter(({ moduleId }) => /\.host\.test\.ts$/.test(moduleId));
}
