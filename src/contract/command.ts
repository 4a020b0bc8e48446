/**
 * A command that somebody runs in a release: `pipeline run`. Its order lies on the host as
 * COMMANDS/TOKEN.json, since its standard input is the command's own; `onhost run TOKEN` carries it out,
 * once.
 */

/** Only root reads it. */
export const COMMANDS = '/run/pipeline/commands';

export interface CommandOrder {
  readonly app: string;
  readonly release: string;
  /** `user@machine`. */
  readonly by: string;
  /** The unit that it runs as. */
  readonly unit: string;
  /** Several words are run as they are, a single one as a line of shell. */
  readonly words: readonly string[];
  /** At a terminal; else with three pipes. */
  readonly terminal: boolean;
  /** Properties of its unit: user, folder, environment, limits. */
  readonly properties: readonly string[];
  /** The release's file with its environment. */
  readonly environment: string;
  /** Names of variables in it whose values are left out of the audit log. */
  readonly secrets: readonly string[];
}
