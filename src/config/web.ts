/** What of `site:` does not fit together. Pure. */
import type { PathMistake } from './explain.ts';
import type { Path } from './positions.ts';
import type { AppConfig } from './schema.ts';

/** `at`: path of the site. */
export function checkWeb({ site }: AppConfig, at: Path): PathMistake[] {
  const mistakes: PathMistake[] = [];
  const say = (key: Path, message: string) => mistakes.push({ path: [...at, ...key], message });
  for (const [key, value] of Object.entries(site.headers)) {
    const byPath = typeof value === 'object';
    if (key.startsWith('/') !== byPath)
      say(
        ['headers', key],
        byPath ? 'headers stand below a path, like /assets/' : 'expected headers of this path',
      );
    if (key.startsWith('/') && /[\s"\\${};]/.test(key))
      say(['headers', key], 'expected a path like /assets/');
    if (!key.startsWith('/') && !/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(key))
      say(['headers', key], 'expected the name of a header, or a path like /assets/');
    if (byPath && Object.keys(value).some((name) => name.toLowerCase() === 'set-cookie'))
      say(['headers', key, 'Set-Cookie'], "would replace the service's own cookies");
  }
  for (const [from, value] of Object.entries(site.redirects)) {
    const to = typeof value === 'string' ? value : value.to;
    if (to.endsWith('*') && !from.endsWith('*'))
      say(['redirects', from], `"${to}" ends with *, which stands for nothing in "${from}"`);
    if (to === from) say(['redirects', from], 'leads to itself');
  }
  for (const status of ['401', '503'].filter((one) => one in site.errors)) {
    const why = status === '401' ? 'is for browsers, which ask' : 'is for maintenance: see site.maintenance';
    say(['errors', status], `${status} ${why}`);
  }
  const wild = site.domains.findIndex((domain) => domain.startsWith('*.'));
  if (wild >= 0 && site.tls?.acme !== undefined) {
    say(
      ['domains', wild],
      'needs a certificate of your own (tls: certificate:): acme proves single names only',
    );
  }
  return mistakes;
}
