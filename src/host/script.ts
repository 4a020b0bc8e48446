/** The bash script that does what was planned. It reports on standard output; `apply.ts` reads that. */

import { quote } from '../ssh/quote.ts';
import { withValues } from '../ssh/script.ts';
import begin from './begin.sh' with { type: 'text' };
import { STAMP_FOLDER } from './fingerprint.ts';
import functions from './functions.sh' with { type: 'text' };
import { THEIRS_FOLDER } from './steps/file.ts';
import { POLICY_FILE, POLICY_MARKER } from './steps/package.ts';
import { WRITTEN } from './steps/path.ts';

/** Begins a line that is a report; nothing else prints this character. */
export const REPORT = '\u0001';
export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Exit code where another run is changing the host (EX_TEMPFAIL). */
export const BUSY = 75;
/** Exit code of a step whose new file its validation refused. */
export const REFUSED = 65;
/** Exit code of a step that cut this program off and was taken back. */
export const CUT_OFF = 77;

/** Seconds to wait for another run, or for apt's locks. */
const WAIT = 120;

/** Some bash, and how many of the plan's changes it makes: a transaction of packages makes several. */
export interface ScriptStep {
  readonly bash: string;
  readonly changes: number;
}

/**
 * Output of steps goes through tee, which keeps a copy on the host and goes on when this side is gone: a
 * broken connection does not kill apt in the middle. The script itself then ends at the next step's border.
 */
const FUNCTIONS = withValues(functions, {
  report_mark: REPORT,
  refused: String(REFUSED),
  cut_off: String(CUT_OFF),
  policy_file: POLICY_FILE,
  policy_marker: POLICY_MARKER,
  lock_seconds: String(WAIT),
  written: WRITTEN,
  theirs_folder: THEIRS_FOLDER,
  log: '/var/log/pipeline/converge.log',
});

/** The whole script. `forget` are stamps to rewrite before the first step. */
export function applyScript(steps: readonly ScriptStep[], forget: readonly string[]): string {
  let first = 0;
  const numbered = steps.map((step) => {
    const index = first;
    first += step.changes;
    return { ...step, index };
  });
  return [
    `export ${PATH} LC_ALL=C.UTF-8`,
    FUNCTIONS,
    withValues(begin, { stamps: STAMP_FOLDER, busy: String(BUSY) }),
    ...forget,
    ...numbered.map(({ index, bash }) => `step${index}() {\n${bash}\n}`),
    ...numbered.map(({ index, changes }) => `step ${index} ${changes}`),
    'tell_systemd',
    'report finished',
  ].join('\n');
}

/** Bash that remembers. */
export function stampScript(path: string, text: string): string {
  return `stamp ${quote(path)} ${quote(text)}`;
}
