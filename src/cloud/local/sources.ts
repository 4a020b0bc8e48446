/**
 * Which of this machine's apt sources are the distribution's own: those the base image is made from. Pure.
 */

/** A file of `/etc/apt`: `sources.list`, or one of `sources.list.d`. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export interface DistributionSources {
  /** One-line entries (`deb …`), and paragraphs of the deb822 format. Either may be empty, not both. */
  readonly list: string;
  readonly deb822: string;
  /** Keys that the sources name by path. */
  readonly keys: readonly string[];
}

/** Archives that only this machine can read. */
const LOCAL_MEDIA = /(^|\s)(cdrom|file|copy):/;

/**
 * The entries whose suite is the release itself, its updates or its security updates, with the component
 * `main`. Third-party archives (their suite or component is called otherwise) stay out: a host is to be what
 * a fresh droplet is.
 * @returns undefined where no entry is the distribution's.
 */
export function distributionSources(
  files: readonly SourceFile[],
  codename: string,
): DistributionSources | undefined {
  const suites = new Set(['', '-updates', '-security', '/updates'].map((suffix) => codename + suffix));
  const list: string[] = [];
  const deb822: string[] = [];
  for (const { name, text } of files) {
    if (name.endsWith('.sources'))
      deb822.push(...paragraphs(text).flatMap((paragraph) => ownParagraph(paragraph, suites)));
    else if (name.endsWith('.list')) list.push(...text.split('\n').filter((line) => isOwnLine(line, suites)));
  }
  if (list.length + deb822.length === 0) return undefined;
  return {
    list: list.map((line) => `${line.trim()}\n`).join(''),
    deb822: deb822.join('\n'),
    keys: [...new Set([...list.flatMap(keysOfLine), ...deb822.flatMap(keysOfParagraph)])],
  };
}

/** The same archives with another release of the distribution. */
export function sourcesOf(
  sources: DistributionSources,
  codename: string,
  other: string,
): DistributionSources {
  const renamed = (suite: string) => suite.replace(new RegExp(`^${codename}(?=$|[-/])`), other);
  return {
    ...sources,
    list: sources.list.replace(LINE, (_line, before: string, suite: string) => before + renamed(suite)),
    deb822: sources.deb822.replace(/^Suites: .*$/gm, (line) => line.split(' ').map(renamed).join(' ')),
  };
}

/** Up to the suite of a one-line entry. */
const LINE = /^(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)/gm;

/** `deb [options] uri suite component…` */
function isOwnLine(line: string, suites: ReadonlySet<string>): boolean {
  const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)\s+(.*)$/.exec(line);
  return (
    match !== null &&
    !LOCAL_MEDIA.test(line) &&
    suites.has(match[1] ?? '') &&
    (match[2] ?? '').split(/\s+/).includes('main')
  );
}

function ownParagraph(paragraph: string, suites: ReadonlySet<string>): string[] {
  const words = (field: string) => fieldOf(paragraph, field).split(/\s+/).filter(Boolean);
  const own = words('Suites').filter((suite) => suites.has(suite));
  const enabled = !['no', 'false', '0', 'off'].includes(fieldOf(paragraph, 'Enabled').trim().toLowerCase());
  if (
    !enabled ||
    LOCAL_MEDIA.test(fieldOf(paragraph, 'URIs')) ||
    own.length === 0 ||
    !words('Types').includes('deb') ||
    !words('Components').includes('main')
  )
    return [];
  const kept = paragraph
    .replace(/^Types:.*$/im, 'Types: deb')
    .replace(/^Suites:.*(\n[ \t].*)*$/im, `Suites: ${own.join(' ')}`);
  return [`${kept}\n`];
}

/** Paragraphs without comments. */
function paragraphs(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean);
}

function fieldOf(paragraph: string, field: string): string {
  return new RegExp(`^${field}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(paragraph)?.[1] ?? '';
}

function keysOfLine(line: string): string[] {
  const match = /signed-by=([^\]\s]+)/i.exec(line);
  return (match?.[1] ?? '').split(',').filter((key) => key.startsWith('/'));
}

function keysOfParagraph(paragraph: string): string[] {
  return fieldOf(paragraph, 'Signed-By')
    .split(/[\s,]+/)
    .filter((key) => key.startsWith('/'));
}
