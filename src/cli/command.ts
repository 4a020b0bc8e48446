/**
 * What a command is: data that help, parsing and documentation are made from, and a handler that is loaded
 * only when it runs.
 */
import type { Context } from '../context.ts';
import type { Output } from './output.ts';

/** One option of a command. `type` says what the handler is given. */
export interface OptionDefinition {
  /** As commander takes it: `-i, --inventory <file>`. */
  readonly flags: string;
  readonly description: string;
  readonly type: 'flag' | 'text' | 'number' | 'duration';
  /** Accepted values of a text option. */
  readonly choices?: readonly string[];
}

export interface ArgumentDefinition {
  /** As commander takes it: `<app>`, `[ref]`, `[command...]`. */
  readonly name: string;
  readonly description: string;
}

type Value<O extends OptionDefinition> = O['type'] extends 'flag'
  ? boolean
  : O['type'] extends 'number' | 'duration'
    ? number | undefined
    : string | undefined;

/** What a handler is given for a record of options. Durations are milliseconds. */
export type OptionValues<O extends Readonly<Record<string, OptionDefinition>>> = {
  readonly [K in keyof O]: Value<O[K]>;
};

export interface CommandDefinition {
  /** Words after `pipeline`, e.g. `prod up`. */
  readonly path: string;
  readonly alias?: string;
  readonly summary: string;
  /** Further sentences for `--help`. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options?: Readonly<Record<string, OptionDefinition>>;
  readonly examples?: readonly string[];
}

/** Options that every command takes. */
export const COMMON_OPTIONS = {
  config: {
    flags: '-c, --config <file>',
    description: 'configuration (default: pipeline.yml here or in a folder above)',
    type: 'text',
  },
  json: {
    flags: '--json',
    description: 'one JSON document on standard output, the rest on standard error',
    type: 'flag',
  },
  verbose: { flags: '-v, --verbose', description: 'show every remote command and API call', type: 'flag' },
} as const satisfies Readonly<Record<string, OptionDefinition>>;

/** What a handler works with besides its own arguments and options. */
export interface Session {
  readonly context: Context;
  readonly output: Output;
  /** For a command whose result is a stream of lines rather than one document. */
  readonly streams: {
    readonly isTerminal: boolean;
    /** To standard output. Resolves once more may be written: with false where nobody reads any more. */
    write(text: string): Promise<boolean>;
    /** A line to standard error, also without `--json`. */
    complain(text: string): void;
  };
  /** Arguments as typed: one entry for each argument of the definition; a variadic one is an array. */
  readonly arguments: readonly (string | readonly string[] | undefined)[];
  readonly common: OptionValues<typeof COMMON_OPTIONS>;
}

/**
 * What a command ends with: the document for `--json`, and an exit code where success is not the only good
 * end.
 */
export interface CommandResult {
  /** Undefined: the handler wrote its documents itself, one a line. */
  readonly json: unknown;
  readonly exitCode?: number;
}

type OptionsOf<D extends CommandDefinition> =
  D['options'] extends Readonly<Record<string, OptionDefinition>>
    ? OptionValues<D['options']>
    : Readonly<Record<never, never>>;

/** A command's code: arguments and options in, text through `session.output`, the JSON document out. */
export type Handler<D extends CommandDefinition> = (
  options: OptionsOf<D>,
  session: Session,
) => Promise<CommandResult>;

/** The n-th argument as one word, or undefined. */
export function argument(session: Session, index: number): string | undefined {
  const value = session.arguments[index];
  return typeof value === 'string' ? value : undefined;
}
