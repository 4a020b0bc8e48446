/**
 * Everything that is wrong with the text of a `pipeline.yml`, at once, and the configuration where nothing
 * is: pure.
 */
import { type Document, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { explainIssues } from './explain.ts';
import { offsetOf, pathText, valueAt } from './positions.ts';
import { withoutWrongParts } from './prune.ts';
import { checkReferences } from './references.ts';
import { type ConfigValues, configSchema } from './schema.ts';
import { expectedWords } from './words.ts';

export interface ConfigMistake {
  /** Counted from 1. */
  readonly line: number;
  /** What it is about, e.g. `apps.web.health`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export type ReadConfig =
  | { readonly values: ConfigValues; readonly mistakes: readonly [] }
  | { readonly values?: undefined; readonly mistakes: readonly ConfigMistake[] };

/** Reads the text of a `pipeline.yml`: YAML, then every value, then what refers to what. */
export function readConfig(text: string): ReadConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const syntax = document.errors.map((error) => syntaxMistake(error, lines, text));
  // Without its shape the file's values say nothing; of a doubled key only one value is wrong.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { mistakes: syntax };
  const aliases = aliasMistakes(document, lines);
  if (aliases.length > 0) return { mistakes: [...syntax, ...aliases] };
  const raw = toValue(document);
  if (raw.mistake !== undefined)
    return { mistakes: [...syntax, { line: 1, path: '', message: raw.mistake }] };
  const parsed = configSchema.safeParse(raw.value, { error: expectedWords, reportInput: true });
  const issues = parsed.success ? [] : parsed.error.issues;
  const found = explainIssues(issues, raw.value);
  const values = parsed.success ? parsed.data : withoutWrongParts(raw.value, issues);
  if (values !== undefined) {
    const rolesKnown = syntax.length === 0 && !found.some(({ path }) => path[0] === 'hosts');
    found.push(...checkReferences(values, { names: hostNames(raw.value), rolesKnown }));
  }
  const mistakes = found.map(({ path, message }) => ({
    line: lines.linePos(offsetOf(document, path)).line,
    path: pathText(path),
    message,
  }));
  const all = [...syntax, ...mistakes].sort((a, b) => a.line - b.line);
  return parsed.success && all.length === 0 ? { values: parsed.data, mistakes: [] } : { mistakes: all };
}

function toValue(document: Document): { value?: unknown; mistake?: string } {
  try {
    const value = document.toJS() as unknown;
    return value === null ? { mistake: 'the file is empty' } : { value };
  } catch (error) {
    // Aliases of aliases that would grow without end.
    if (error instanceof ReferenceError) return { mistake: `the aliases are too many: ${error.message}` };
    throw error;
  }
}

/** Aliases whose anchor does not stand before them. */
function aliasMistakes(document: Document, lines: LineCounter): ConfigMistake[] {
  const mistakes: ConfigMistake[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return;
      const { line } = lines.linePos(alias.range?.[0] ?? 0);
      mistakes.push({
        line,
        path: '',
        message: `no anchor &${alias.source} stands before the alias *${alias.source}`,
      });
    },
  });
  return mistakes;
}

function syntaxMistake(error: YAMLError, lines: LineCounter, text: string): ConfigMistake {
  const offset = error.pos[0];
  const { line } = lines.linePos(offset);
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(offset))?.[0] ?? '';
    return { line, path: '', message: `the key "${key}" stands twice in the same mapping` };
  }
  if (error.code === 'TAB_AS_INDENT')
    return { line, path: '', message: 'a tab cannot indent YAML: use spaces' };
  const message = error.message.replace(/ at line \d+.*$/s, '');
  return { line, path: '', message: `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}` };
}

function hostNames(raw: unknown): ReadonlySet<string> {
  const hosts = valueAt(raw, ['hosts']);
  return new Set(typeof hosts === 'object' && hosts !== null ? Object.keys(hosts) : []);
}
