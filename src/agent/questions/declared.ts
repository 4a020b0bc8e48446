/** Which units may be asked for: those that the configuration declares, and no others. Pure. */
import type { LogsAsked } from '../../contract/logs.ts';

/** The globs of units to read; undefined: what is asked for is not declared. */
export function unitsToRead(
  { app }: Pick<LogsAsked, 'app'>,
  declared: readonly string[],
): readonly string[] | undefined {
  if (app === undefined) return declared.length === 0 ? undefined : declared;
  return isDeclared(`pipeline-${app}@blue.service`, declared) ? [`pipeline-${app}@*.service`] : undefined;
}

/** Whether one of the globs matches the unit. */
export function isDeclared(unit: string, declared: readonly string[]): boolean {
  return declared.some((glob) => matchesGlob(unit, glob));
}

function matchesGlob(unit: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(unit);
}
