/** Units of an application as the journal knows them. Pure. */

/**
 * The control group that systemd puts all instances of `pipeline-APP@…` into: its processes and jobs too,
 * also those that are new. Names are escaped as systemd does it (`unit_name_escape`).
 */
export function sliceOf(app: string): string {
  const escaped = `pipeline-${app}`.replace(
    /[^A-Za-z0-9:_.]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `system-${escaped}.slice`;
}

/**
 * What a line is of: the instance (`blue-2`, `job-report`) of an application, else the unit or the program.
 */
export function sourceOf(
  { unit, identifier }: { readonly unit: string; readonly identifier: string },
  app: string | undefined,
): string {
  const name = unit.replace(/\.service$/, '');
  const own = app === undefined ? '' : `pipeline-${app}@`;
  if (own !== '' && name.startsWith(own)) return name.slice(own.length);
  return name === '' || name === 'init.scope' ? identifier || 'kernel' : name;
}
