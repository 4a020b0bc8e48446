/** Which Node version an application wants. Pure. */

/** What was asked for, and where. */
export interface NodeWish {
  /** A semver range as npm reads it; `*` for anything. */
  readonly range: string;
  /** Versions that are, or will be, supported long-term come before others. */
  readonly preferLts: boolean;
  /** `lts/-1`: this many lines before the newest in long-term support; absent: none. */
  readonly ltsBefore?: number;
  /**
   * For messages: `.nvmrc`, `volta.node of package.json`, `engines.node of package.json`, `node: in
   * pipeline.yml`, `default`.
   */
  readonly from: string;
}

/** Code names of the long-term lines, as `.nvmrc` may say them (nodejs/Release, schedule.json). */
const CODENAMES: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
  lithium: 26,
};

/**
 * The first of these that says something decides: pipeline.yml, `.nvmrc`, `.node-version`, `.tool-versions`
 * (asdf, mise), Volta's pin, `engines.node`, else the newest LTS.
 */
export function nodeWish(said: {
  readonly config?: string | undefined;
  readonly nvmrc?: string | undefined;
  readonly nodeVersion?: string | undefined;
  readonly toolVersions?: string | undefined;
  readonly volta?: string | undefined;
  readonly engines?: string | undefined;
}): NodeWish {
  const sources: readonly (readonly [string | undefined, string])[] = [
    [said.config, 'node: in pipeline.yml'],
    [said.nvmrc, '.nvmrc'],
    [said.nodeVersion, '.node-version'],
    [toolVersion(said.toolVersions), '.tool-versions'],
    [said.volta, 'volta.node of package.json'],
    [said.engines, 'engines.node of package.json'],
  ];
  for (const [text, from] of sources) {
    const words = (text ?? '').replaceAll(/#.*$/gm, '').trim();
    if (words !== '') return { ...parse(words), from };
  }
  return { range: '*', preferLts: true, from: 'default' };
}

/** The first version that a `.tool-versions` names for Node; the others are what to fall back to. */
function toolVersion(text: string | undefined): string | undefined {
  const [, version] = /^(?:nodejs|node)[ \t]+(\S+)/m.exec(text ?? '') ?? [];
  return version;
}

/** nvm's words (`v10`, `lts/*`, `lts/iron`, `node`) and npm's ranges. */
function parse(words: string): Pick<NodeWish, 'range' | 'preferLts' | 'ltsBefore'> {
  const word = words.toLowerCase();
  if (['lts/*', '--lts', 'lts'].includes(word)) return { range: '*', preferLts: true };
  const before = /^lts\/-(\d+)$/.exec(word)?.[1];
  if (before !== undefined) return { range: '*', preferLts: true, ltsBefore: Number(before) };
  if (['node', 'stable', 'current', 'latest'].includes(word)) return { range: '*', preferLts: false };
  const major = word.startsWith('lts/') ? CODENAMES[word.slice(4)] : undefined;
  if (major !== undefined) return { range: `${major}.x`, preferLts: true };
  return { range: words, preferLts: true };
}

/**
 * Whether npm reads it as a range of versions. Anything else is a tag or an address to npm, and would be
 * fetched.
 */
export function isRange(text: string): boolean {
  const parts = text.split(/\s+|\|\|/).filter((part) => part !== '');
  return parts.every((part) => /^(?:-|[\^~<>=v]+|[\^~<>=v]*(?:\d[\w.*+-]*|[xX*]))$/.test(part));
}

/** Words that are known beside ranges of versions, for messages. */
export const NODE_WORDS = `20, 20.11.1, >=18, lts/*, lts/-1, ${Object.keys(CODENAMES)
  .slice(-4)
  .map((name) => `lts/${name}`)
  .join(', ')}`;

/**
 * The version to take among those in the range: the newest of a line that is in long-term support, else the
 * newest. Prereleases never. Returns undefined where there is none.
 */
export function chooseVersion(
  versions: readonly string[],
  { preferLts, ltsBefore = 0 }: Pick<NodeWish, 'preferLts' | 'ltsBefore'>,
  now: Date,
): string | undefined {
  const stable = versions.filter((version) => /^\d+\.\d+\.\d+$/.test(version)).sort(compareVersions);
  const lts = preferLts ? stable.filter((version) => isLts(major(version), now)) : [];
  if (ltsBefore === 0) return lts.at(-1) ?? stable.at(-1);
  const line = [...new Set(lts.map(major))].at(-1 - ltsBefore);
  return lts.findLast((version) => major(version) === line);
}

/**
 * Whether a line of Node has reached long-term support. Even lines do in the October of the year they appear
 * in (4 in 2015, then every year); from 27 on there is one line a year and each of them does (nodejs.org,
 * "Evolving the Node.js release schedule").
 */
export function isLts(line: number, now: Date): boolean {
  if (line < 4 || (line < 27 && line % 2 === 1)) return false;
  const year = line < 27 ? 2013 + line / 2 : 2000 + line;
  return now.getTime() >= Date.UTC(year, 9, 28);
}

function major(version: string): number {
  return Number(version.split('.', 1)[0]);
}

/** Order of two `x.y.z`. */
function compareVersions(a: string, b: string): number {
  const [x, y] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The last npm of each line, with the Node versions that it runs on as lines and their first minor (npm's own
 * `engines`). The newest first.
 */
const NPM_LINES: readonly { readonly npm: string; readonly runsOn: (node: string) => boolean }[] = [
  { npm: '11.21.2', runsOn: from({ 20: 17, 22: 9 }, 24) },
  { npm: '10.9.9', runsOn: from({ 18: 17, 20: 5 }, 21) },
  { npm: '9.9.4', runsOn: from({ 14: 17, 16: 13 }, 18) },
  { npm: '8.19.4', runsOn: from({ 12: 13, 14: 15 }, 16) },
  { npm: '7.24.2', runsOn: from({}, 10) },
  { npm: '6.14.18', runsOn: from({ 6: 2, 8: 0 }, 10) },
];

function from(lines: Readonly<Record<number, number>>, everyFrom: number): (node: string) => boolean {
  return (node) => {
    const [line = 0, minor = 0] = node.split('.').map(Number);
    const first = lines[line];
    return line >= everyFrom || (first !== undefined && minor >= first);
  };
}

/**
 * The npm that installs for this Node: the newest that runs on it. A lock file of version 1 on Node before 16
 * was made by npm 6, which alone installs it as its author did; npm 6 reads no lock file of version 3.
 * Undefined where no npm can install this lock file on this Node.
 */
export function npmFor(node: string, lockfileVersion: number): string | undefined {
  const fitting = NPM_LINES.filter(
    ({ npm, runsOn }) => runsOn(node) && (major(npm) > 6 || lockfileVersion < 3),
  );
  const chosen = lockfileVersion === 1 && major(node) < 16 ? fitting.at(-1) : fitting[0];
  return chosen?.npm;
}
