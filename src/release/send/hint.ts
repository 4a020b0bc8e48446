/** What the last lines of a service that failed give away. Pure. */

/** A sentence with what to do about it, and a space; empty: they tell nothing. */
export function hint(lines: readonly string[]): string {
  if (lines.some((line) => /read-only file system|\bEROFS\b/i.test(line))) {
    return 'It wrote into its own folder: it may write to $STATE_DIRECTORY, /tmp, and folders of persist:. ';
  }
  const missing = lines.map(missingPackage).find((name) => name !== undefined);
  return missing === undefined
    ? ''
    : `If ${missing} stands in devDependencies, put it into dependencies: a release has only those. `;
}

/** A package, not a file of the service's own; Node's words, Bun's, and a shell's for a program of one. */
function missingPackage(line: string): string | undefined {
  const module = /Cannot find (?:module|package) '((?:@[\w.-]+\/)?[\w-][\w.-]*)/.exec(line)?.[1];
  return module ?? /\b(?:sh|start): (?:\d+: )?(?:exec: )?([\w.-]+): not found$/.exec(line)?.[1];
}
