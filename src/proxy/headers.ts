/** Response headers of a site: its defaults, its own, and how long files may be kept. Pure. */
import { HSTS } from './front.ts';
import type { Site } from './proxy.ts';
import { cookieLines, decides } from './split.ts';
import { block, quoted } from './text.ts';
import { escaped, headerMap, headersByPath } from './web.ts';

/** Headers that a careful site sends, unless the service or the definition says otherwise. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
};

const FOREVER = 'public, max-age=31536000, immutable';

/**
 * Names that change with what is in the file: a long hexadecimal number; what Vite and Rollup make (eight
 * characters of base64 with a digit or a capital letter); folders of Next.js, SvelteKit, Astro and Nuxt.
 */
const FINGERPRINTED = [
  '~[.-][0-9a-fA-F]{8,}(\\.[a-z0-9]+){1,2}$',
  '~/(assets|build)/.*[.-](?=[A-Za-z_-]*[0-9]|[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{8}(\\.[a-z0-9]+){1,2}$',
  '~/(_next/static|_app/immutable|_astro|_nuxt)/',
];

/** By name, what the site says where neither the service nor the definition does. */
function defaultHeaders(site: Site): Record<string, string> {
  if (site.experiment !== undefined) return {};
  const own = new Set(Object.keys(site.headers).map((name) => name.toLowerCase()));
  const defaults = { ...SECURITY_HEADERS, ...(site.tls === undefined ? {} : { [HSTS.name]: HSTS.value }) };
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !own.has(name.toLowerCase())));
}

/** Maps that `headerLines` and `cacheLines` need. */
export function headerMaps(site: Site, id: string): string[] {
  const byPath = headersByPath(site, id);
  const chosen = new Set(byPath.map(({ name }) => name.toLowerCase()));
  return [
    ...Object.entries(defaultHeaders(site)).map(([name, value]) =>
      block(`map ${fromService(name)} $${id}_${variable(name)}`, [
        `"" ${quoted(value)};`,
        `default ${chosen.has(name.toLowerCase()) ? fromService(name) : '""'};`,
      ]),
    ),
    ...byPath.map((one) => headerMap(one, otherwise(site, one.name, id))),
    ...(site.static === undefined ? [] : [cacheMap(site, id)]),
  ];
}

/** What a header is on paths for which nothing is said: the whole site's, the default, or the service's. */
function otherwise(site: Site, name: string, id: string): string {
  const own = siteWide(site, name);
  if (own !== undefined) return own;
  const isDefault = Object.keys(defaultHeaders(site)).some((one) => same(one, name));
  return isDefault ? `$${id}_${variable(name)}` : fromService(name);
}

function siteWide({ headers }: Site, name: string): string | undefined {
  return Object.entries(headers).find(([one]) => same(one, name))?.[1];
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function fromService(name: string): string {
  return `$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`;
}

function variable(name: string): string {
  return `header_${name.toLowerCase().replaceAll('-', '_')}`;
}

/** Headers of every answer. */
export function headerLines(site: Site, id: string): string[] {
  return linesBut(site, id, () => false);
}

function linesBut(site: Site, id: string, left: (name: string) => boolean): string[] {
  const byPath = headersByPath(site, id);
  const plain = (name: string) => !left(name) && !byPath.some((one) => same(one.name, name));
  return [
    ...Object.keys(defaultHeaders(site))
      .filter(plain)
      .map((name) => `add_header ${name} $${id}_${variable(name)} always;`),
    ...Object.entries(site.headers).flatMap(([name, value]) =>
      plain(name) ? [`proxy_hide_header ${name};`, `add_header ${name} ${quoted(value)} always;`] : [],
    ),
    ...byPath.flatMap(({ name, variable: chosen }) =>
      left(name) ? [] : [`proxy_hide_header ${name};`, `add_header ${name} $${chosen} always;`],
    ),
    ...(site.experiment === undefined
      ? []
      : [`add_header ${site.experiment.colourHeader} $pipeline_colour always;`]),
  ];
}

const CACHE = 'Cache-Control';

/**
 * How long a file of the site may be kept. A page is asked for anew, so it never names files of another
 * release; a file whose name changes with it never is.
 */
function cacheMap(site: Site, id: string): string {
  const chosen = headersByPath(site, id).find(({ name }) => same(name, CACHE))?.values ?? [];
  const entries = [
    ...chosen.map(([path, value]) => [`~^${escaped(path)}`, value] as const),
    ['~(/|\\.html)$', 'no-cache'] as const,
    ...FINGERPRINTED.map((pattern) => [pattern, FOREVER] as const),
  ];
  return block(`map $uri $${id}_cache`, [
    `default ${quoted(siteWide(site, CACHE) ?? 'max-age=300')};`,
    ...entries.map(([pattern, value]) => `${quoted(pattern)} ${quoted(value)};`),
  ]);
}

/** Headers of files, in their own location: what stands there stands instead of the site's. */
export function fileHeaders(site: Site, id: string): string[] {
  const chosen = headersByPath(site, id).some(({ name }) => same(name, CACHE));
  if (siteWide(site, CACHE) !== undefined && !chosen) return [];
  const split = decides(site.split);
  return [
    ...linesBut(site, id, (name) => same(name, CACHE)),
    ...(split === undefined ? [] : cookieLines(id, split)),
    `add_header ${CACHE} $${id}_cache;`,
  ];
}
