/** What a site does besides passing requests on: redirects, headers by path, errors, passwords. Pure. */
import { posix } from 'node:path';
import type { Redirect, Site } from './proxy.ts';
import { block, quoted } from './text.ts';

/** Maps whose value is where a request leads, one for each status. */
export function redirectMaps(redirects: readonly Redirect[], id: string): string[] {
  return statuses(redirects).map((status) => {
    const own = redirects.filter((one) => one.status === status);
    // Of several prefixes the longest one counts.
    const ordered = [...own].sort((a, b) => b.from.length - a.from.length);
    return block(`map $request_uri $${id}_to_${status}`, [
      'default "";',
      ...ordered.map((one) => entry(one, id)),
    ]);
  });
}

/** What the visitor sent is not decoded, so that nothing in it can end a line. */
function entry({ from, to }: Redirect, id: string): string {
  const query = to.includes('?') ? '' : '$is_args$args';
  const rest = `${id}_rest`;
  const pattern = from.endsWith('*')
    ? `~^${escaped(from.slice(0, -1))}(?<${rest}>[^?]*)`
    : `~^${escaped(from)}(\\?|$)`;
  const target = to.endsWith('*') ? `${to.slice(0, -1)}$${rest}` : to;
  return `${quoted(pattern)} "${target}${query}";`;
}

/** As a regular expression that means just this. */
export function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export function redirectLines(redirects: readonly Redirect[], id: string): string[] {
  return statuses(redirects).map((status) =>
    block(`if ($${id}_to_${status} != "")`, [`return ${status} $${id}_to_${status};`]),
  );
}

function statuses(redirects: readonly Redirect[]): number[] {
  return [...new Set(redirects.map(({ status }) => status))].sort((a, b) => a - b);
}

/** A header that some paths have. */
interface ByPath {
  readonly name: string;
  /** Its variable, without `$`. */
  readonly variable: string;
  /** Longest prefix first. */
  readonly values: readonly (readonly [string, string])[];
}

export function headersByPath({ pathHeaders = {} }: Pick<Site, 'pathHeaders'>, id: string): ByPath[] {
  const names = new Map<string, string>();
  for (const name of Object.values(pathHeaders).flatMap((all) => Object.keys(all))) {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  }
  return [...names].map(([key, name]) => ({
    name,
    variable: `${id}_path_${key.replaceAll('-', '_')}`,
    values: Object.entries(pathHeaders)
      .flatMap(([path, all]) =>
        Object.entries(all).flatMap(([one, value]) =>
          one.toLowerCase() === key ? [[path, value] as const] : [],
        ),
      )
      .sort(([a], [b]) => b.length - a.length),
  }));
}

/** Where no path fits, a header is what it would be without: `otherwise`, an expression. */
export function headerMap({ variable, values }: ByPath, otherwise: string): string {
  return block(`map $uri $${variable}`, [
    `default ${quoted(otherwise)};`,
    ...values.map(([path, value]) => `${quoted(`~^${escaped(path)}`)} ${quoted(value)};`),
  ]);
}

/** Pages of the live release for what nginx itself answers. */
export function errorLines({ errors = {} }: Pick<Site, 'errors'>): string[] {
  return Object.keys(errors).map((status) => `error_page ${status} ${errorPath(status)};`);
}

export function errorLocations({ errors = {}, root }: Pick<Site, 'errors' | 'root'>): string[] {
  return Object.entries(errors).map(([status, file]) =>
    block(`location = ${errorPath(status)}`, [
      'internal;',
      `root ${posix.join(root, '$pipeline_colour', 'app')};`,
      `try_files /${file} =${status};`,
    ]),
  );
}

function errorPath(status: string): string {
  return `/.pipeline-error-${status}`;
}

export function authLines({ auth }: Pick<Site, 'auth'>): string[] {
  return auth === undefined ? [] : ['auth_basic "Restricted";', `auth_basic_user_file ${auth.path};`];
}
