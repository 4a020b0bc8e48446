/**
 * A site that deals its visitors to two versions. nginx finds a name for each request (a bucket, or a side
 * if that is settled already) and looks for a file of that name, as in a site without a rollout. So a step,
 * the way back and the promotion are one rename each, without a reload. Pure text.
 */
import type { Colour } from '../contract/places.ts';
import { PROXY_LIVE } from '../contract/proxy-paths.ts';
import { Failure } from '../errors.ts';
import { SHARE_COLUMNS, SHARE_ROWS } from './shares.ts';
import { block, quoted } from './text.ts';

/** What identifies a visitor from one request to the next. */
export type SplitKey =
  /** A cookie of ours. `seconds`: how long browsers keep it. */
  | { readonly by: 'visitor'; readonly seconds: number }
  /** A request header, e.g. `X-Api-Key`. Without it, or with more than 1,024 bytes: the baseline. */
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'address' }
  | { readonly by: 'request' };

export interface Split {
  /** 8 to 16 random hex digits. */
  readonly rollout: string;
  readonly key: SplitKey;
  /** Path of a file that only root may read (`splitSecrets`). Absent: neither testers nor sessions. */
  readonly secrets?: string | undefined;
  readonly testers?: boolean | undefined;
  /** Cookie of sessions that one process holds in memory, so the other version does not know them. */
  readonly sessionCookie?: string | undefined;
}

/** A host's part of a split. */
export interface SiteSplit extends Omit<Split, 'key'> {
  readonly candidate: Colour;
  /** `balancer`: the balancer chooses. */
  readonly key: SplitKey | { readonly by: 'balancer' };
}

/** Testers choose by `X-Pipeline-Version: candidate SECRET` or `baseline SECRET`. */
const TESTER_HEADER = 'X-Pipeline-Version';
/** What a balancer tells its hosts. */
const SIDE_HEADER = 'X-Pipeline-Side';

type Keyed = Split & { readonly app: string; readonly id: string; readonly tls: boolean };

/** The log for the rollout's process. It holds keys, so only nginx and root may read it. */
export function splitLog(app: string): string {
  return `${PROXY_LIVE}/${app}/split/requests`;
}

export interface SplitSecrets {
  /** The word that testers put after the side. */
  readonly tester?: string | undefined;
  /** Random words, drawn for each rollout, that tie the holder of a session to a side. */
  readonly sessions?: { readonly baseline: string; readonly candidate: string } | undefined;
}

/**
 * Text of the file at `secrets`, mode 0600. `id` as `identifier(app)` says.
 * @throws Failure kind `usage` if a secret is too short, too long, or has other characters.
 */
export function splitSecrets(id: string, { tester, sessions }: SplitSecrets): string {
  const sides = ['baseline', 'candidate'] as const;
  for (const secret of [tester, sessions?.baseline, sessions?.candidate]) {
    if (secret === undefined || /^[A-Za-z0-9_-]{16,128}$/.test(secret)) continue;
    throw new Failure('usage', 'A secret for testers must be 16 to 128 letters, digits, - or _', {
      next: 'Make one, for example with: openssl rand -hex 16',
    });
  }
  const exactly = (text: string) => `~^${text}$`;
  const testers = tester === undefined ? [] : sides.map((side) => [exactly(`${side} ${tester}`), side]);
  const held = sessions === undefined ? [] : sides.map((side) => [exactly(sessions[side]), side]);
  const given = sessions === undefined ? [] : sides.map((side) => [side, sessions[side]]);
  return `${[
    '# Written by pipeline for a rollout, and removed with it.',
    map(`$http_${variable(TESTER_HEADER)}`, `${id}_tester`, [['default', ''], ...testers]),
    ...(sessions === undefined
      ? []
      : [
          // A session from before the rollout belongs to the baseline.
          map(`$${id}_session_word`, `${id}_session_side`, [['default', 'baseline'], ...held]),
          map(`$${id}_side`, `${id}_session_new`, [['default', ''], ...given]),
        ]),
  ].join('\n\n')}\n`;
}

/**
 * Blocks before the server: the name that nginx looks for (`splitName`), and how it was found (`$ID_how`).
 */
export function splitBlocks(split: Keyed): string[] {
  check(split);
  const { id, app, testers, sessionCookie, secrets, key } = split;
  return [
    ...(secrets === undefined ? [] : [`include ${quoted(secrets)};`]),
    ...keyBlocks(split),
    ...buckets(id),
    ...dealt(split),
    ...(sessionCookie === undefined ? [] : sessions(split, sessionCookie)),
    ...(testers === true ? [unless(id, 'tester', 'tested', untested(id, split))] : []),
    ...how(split),
    ...cookie(split),
    logFormats(app, id, requestId(id, key)),
  ];
}

/** The name that nginx looks for in the folder of the weights. */
export function splitName(id: string, split: Omit<SiteSplit, 'candidate'>): string {
  if (split.key.by === 'balancer') return `$${id}_told`;
  return split.testers === true ? `$${id}_tested` : untested(id, split);
}

/** The same for all but testers. A session comes before the bucket, as a tester's word comes before both. */
function untested(id: string, { key, sessionCookie }: Omit<SiteSplit, 'candidate'>): string {
  if (sessionCookie !== undefined) return `$${id}_settled`;
  return key.by === 'header' ? `$${id}_dealt` : bucket(id);
}

/** Blocks of a host whose balancer chooses. It obeys nobody else. */
export function obeyBlocks(id: string): string[] {
  return [
    map(`"$${id}_proxy $http_${variable(SIDE_HEADER)}"`, `${id}_told`, [
      ['default', 'baseline'],
      ['1 candidate', 'candidate'],
    ]),
  ];
}

/** Headers that a service never gets, in each spelling that nginx takes for them. */
export const SPLIT_HEADERS: readonly string[] = [TESTER_HEADER, SIDE_HEADER].flatMap((name) => [
  hidden(name),
  ...lookalikes(name),
]);

/** A balancer tells its hosts the side, and passes on nothing else about a rollout. */
export function sideHeaders(id: string): string[] {
  return [
    `proxy_set_header ${SIDE_HEADER} $${id}_side;`,
    ...lookalikes(SIDE_HEADER),
    hidden(TESTER_HEADER),
    ...lookalikes(TESTER_HEADER),
  ];
}

function lookalikes(name: string): string[] {
  const [first, second, third] = name.split('-');
  return ['__', '_-', '-_'].map(([a = '', b = '']) => hidden(`${first}${a}${second}${b}${third}`));
}

function hidden(name: string): string {
  return `proxy_set_header ${name} "";`;
}

/** Lines of the server that chooses: its second log, and its cookies. */
export function splitLines(id: string, app: string, split: Split): string[] {
  return [`access_log ${splitLog(app)} ${id}_split buffer=64k flush=250ms;`, ...cookieLines(id, split)];
}

/** Cookies of a site that chooses by itself. A location that adds headers of its own must repeat them. */
export function cookieLines(
  id: string,
  { key, sessionCookie }: Pick<Split, 'key' | 'sessionCookie'>,
): string[] {
  return [
    ...(key.by === 'visitor'
      ? [
          // Also with an error: whoever met one must not be dealt anew.
          `add_header Set-Cookie $${id}_cookie always;`,
          // A cache in between must not hand one visitor's cookie to others.
          `add_header Cache-Control $${id}_private always;`,
        ]
      : []),
    ...(sessionCookie === undefined ? [] : [`add_header Set-Cookie $${id}_session_cookie always;`]),
  ];
}

/** The split of a site that chooses by itself; undefined: it has none, or its balancer chooses. */
export function decides(split: SiteSplit | undefined): (Split & Pick<SiteSplit, 'candidate'>) | undefined {
  if (split === undefined) return undefined;
  const { key } = split;
  return key.by === 'balancer' ? undefined : { ...split, key };
}

/** The request's id for log and service. A new cookie is the other half, which they never see. */
export function requestId(id: string, key: SiteSplit['key']): string {
  return key.by === 'visitor' ? `$${id}_id` : '$request_id';
}

function check({ rollout, secrets, testers, sessionCookie }: Split): void {
  if (!/^[0-9a-f]{8,16}$/.test(rollout)) throw new Error(`a rollout is named in hex, not ${rollout}`);
  if (secrets === undefined && (testers === true || sessionCookie !== undefined)) {
    throw new Error('testers and sessions need secrets');
  }
}

function keyBlocks({ id, key, rollout }: Keyed): string[] {
  switch (key.by) {
    case 'visitor':
      return [
        // Anything else is not a cookie of ours: the visitor is new.
        map(`$cookie_${cookieName(id, rollout)}`, `${id}_known`, [
          ['default', ''],
          [`~^(?<${id}_c>[0-9a-f]{16})$`, `$${id}_c`],
        ]),
        map('$request_id', `${id}_fresh`, [[`~^.{16}(?<${id}_f>.{16})$`, `$${id}_f`]]),
        map('$request_id', `${id}_half`, [[`~^(?<${id}_h>.{16})`, `$${id}_h`]]),
        map(`$${id}_known`, `${id}_key`, [
          ['default', `$${id}_known`],
          ['', `$${id}_fresh`],
        ]),
        map(`$${id}_known`, `${id}_id`, [
          ['default', '$request_id'],
          ['', `$${id}_half`],
        ]),
      ];
    case 'header':
      return [
        map(`$http_${variable(key.name)}`, `${id}_key`, [
          ['default', ''],
          [`~^(?<${id}_k>.{1,1024})$`, `$${id}_k`],
        ]),
      ];
    case 'address':
      return [map('$remote_addr', `${id}_key`, [['default', '$remote_addr']])];
    case 'request':
      return [map('$request_id', `${id}_key`, [['default', '$request_id']])];
  }
}

/** Two lists, each with a hash of its own. */
function buckets(id: string): string[] {
  const list = (from: string, to: string, length: number) => {
    const lines = Array.from({ length: length - 1 }, (_, index) => `${100 / length}% ${index};`);
    return block(`split_clients ${quoted(from)} $${id}_${to}`, [lines.join(' '), `* ${length - 1};`]);
  };
  return [list(`$${id}_key`, 'row', SHARE_ROWS), list(`$${id}_key:`, 'column', SHARE_COLUMNS)];
}

/** Requests without a key stay with the baseline, since all of them would be one visitor. */
function dealt({ id, key }: Keyed): string[] {
  if (key.by !== 'header') return [];
  return [
    map(`$${id}_key`, `${id}_dealt`, [
      ['default', bucket(id)],
      ['', 'baseline'],
    ]),
  ];
}

function bucket(id: string): string {
  return `$${id}_row.$${id}_column`;
}

/** The first variable, or the other value if it is empty. */
function unless(id: string, first: string, to: string, otherwise: string): string {
  return map(`$${id}_${first}`, `${id}_${to}`, [
    ['default', `$${id}_${first}`],
    ['', otherwise],
  ]);
}

function sessions({ id, key, rollout, tls }: Keyed, session: string): string[] {
  const name = `${cookieName(id, rollout)}_session`;
  return [
    map(`$cookie_${name}`, `${id}_session_word`, [['default', `$cookie_${name}`]]),
    map(`$cookie_${session}`, `${id}_session`, [
      ['default', `$${id}_session_side`],
      ['', ''],
    ]),
    map(`$upstream_cookie_${session}`, `${id}_session_cookie`, [
      ['default', `${name}=$${id}_session_new; ${attributes(tls)}`],
      ['', ''],
    ]),
    unless(id, 'session', 'settled', untested(id, { rollout, key })),
  ];
}

/** How the side was found. Only a side that was dealt is evidence. */
function how({ id, key, testers, sessionCookie }: Keyed): string[] {
  const layers: { readonly from: string; readonly found: string; readonly otherwise: string }[] = [
    key.by === 'visitor'
      ? { from: 'known', found: 'known', otherwise: 'new' }
      : { from: 'key', found: key.by, otherwise: 'keyless' },
  ];
  if (sessionCookie !== undefined) {
    layers.push({ from: 'session', found: 'session', otherwise: `$${id}_how_dealt` });
  }
  if (testers === true) {
    const before = sessionCookie === undefined ? 'how_dealt' : 'how_untested';
    layers.push({ from: 'tester', found: 'tester', otherwise: `$${id}_${before}` });
  }
  const names = [...['how_dealt', 'how_untested'].slice(0, layers.length - 1), 'how'];
  return layers.map(({ from, found, otherwise }, at) =>
    map(`$${id}_${from}`, `${id}_${names[at]}`, [
      ['default', found],
      ['', otherwise],
    ]),
  );
}

function cookie({ id, key, rollout, tls }: Keyed): string[] {
  if (key.by !== 'visitor') return [];
  const lasts = `Max-Age=${Math.ceil(key.seconds)}`;
  const value = `${cookieName(id, rollout)}=$${id}_fresh; ${lasts}; ${attributes(tls)}`;
  return [
    map(`$${id}_how`, `${id}_cookie`, [
      ['default', ''],
      ['new', value],
    ]),
    map(`$${id}_how`, `${id}_private`, [
      ['default', ''],
      ['new', 'private'],
    ]),
  ];
}

/** The common log with the side, and the rollout's log with the key. */
function logFormats(app: string, id: string, request: string): string {
  const common = [
    `{"msec":$msec,"app":"${app}","colour":"$pipeline_colour","side":"$${id}_side",`,
    '"release":"$pipeline_release","method":"$request_method","uri":"$request_uri","status":$status,',
    '"bytes":$body_bytes_sent,"time":$request_time,"upstream_time":"$upstream_response_time",',
    '"upstream_header_time":"$upstream_header_time","upstream_status":"$upstream_status",',
    `"upstream_addr":"$upstream_addr","id":"${request}"}`,
  ];
  const own = [
    `{"msec":$msec,"side":"$${id}_side","how":"$${id}_how","status":$status,"time":$request_time,`,
    `"upstream_status":"$upstream_status","key":"$${id}_key"}`,
  ];
  const format = (name: string, lines: readonly string[]) =>
    `log_format ${id}_${name} escape=json ${lines.map((line) => `'${line}'`).join('\n    ')};`;
  return `${format('shared', common)}\n${format('split', own)}`;
}

function map(from: string, to: string, entries: readonly (readonly string[])[]): string {
  return block(
    `map ${from} $${to}`,
    entries.map(([key = '', value = '']) => `${quoted(key)} ${quoted(value)};`),
  );
}

function cookieName(id: string, rollout: string): string {
  return `pipeline_${id}_${rollout}`;
}

function attributes(tls: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${tls ? '; Secure' : ''}`;
}

function variable(header: string): string {
  return header.toLowerCase().replaceAll('-', '_');
}
