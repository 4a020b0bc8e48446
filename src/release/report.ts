/** What a release script says while it runs, line by line. Pure. */

export type Report =
  | {
      readonly kind: 'start' | 'running' | 'done' | 'skipped';
      readonly step: string;
      readonly detail: string;
    }
  /** The step that ended the script, and why as the rest of a sentence. */
  | { readonly kind: 'failed'; readonly step: string; readonly detail: string }
  /** A line that the new version, or a hook, printed. */
  | { readonly kind: 'log'; readonly line: string };

/** Undefined for lines that are not meant for us. */
export function parseReport(line: string): Report | undefined {
  const log = /^@@ log ?(.*)$/.exec(line);
  if (log !== null) return { kind: 'log', line: log[1] ?? '' };
  const [, kind, step, detail] = /^@@ (start|running|done|skipped|failed) (\S+) ?(.*)$/.exec(line) ?? [];
  if (kind === undefined || step === undefined) return undefined;
  return { kind: kind as 'start', step, detail: detail ?? '' };
}
