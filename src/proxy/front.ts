/** Where a site or a balancer listens: ports, names, certificates. Pure text. */
import { CHALLENGES, ISSUED } from '../contract/proxy-paths.ts';
import type { Front } from './proxy.ts';
import { block } from './text.ts';

/** What a careful site says over https. */
export const HSTS = { name: 'Strict-Transport-Security', value: 'max-age=31536000' } as const;

/** The first lines of a server: where it listens, for which names, with which certificate. */
export function frontLines(front: Front): string[] {
  const { line, suffix } = names(front);
  const plain = separate(front) ? [] : listen(front, front.port, suffix);
  return [
    ...plain,
    ...(front.tls === undefined ? [] : tls(front, front.tls, suffix)),
    line,
    ...(front.tls?.redirect && !separate(front) ? redirectOnceIssued(front) : []),
  ];
}

/**
 * Whether port 80 only redirects to https. Not for a certificate by ACME: until it has come, the site has one
 * that nobody trusts.
 */
function separate(front: Front): boolean {
  return front.tls?.redirect === true && front.challenges !== true;
}

function redirectOnceIssued({ app }: Front): string[] {
  return [
    'set $pipeline_https $scheme;',
    `if (-f ${ISSUED}/${app}) {\n    set $pipeline_https "$scheme issued";\n}`,
    'if ($uri ~ ^/\\.well-known/acme-challenge/) {\n    set $pipeline_https "";\n}',
    'if ($pipeline_https = "http issued") {\n    return 301 https://$host$request_uri;\n}',
  ];
}

/** Answers the certificate authority, before any other location. */
export function challengeLocation(front: Front): string[] {
  return front.challenges === true
    ? [
        block('location ^~ /.well-known/acme-challenge/', [
          `alias ${CHALLENGES}/;`,
          'default_type text/plain;',
          'access_log off;',
        ]),
      ]
    : [];
}

/** The server that redirects to https, if there is one. */
export function redirectServer(front: Front): string[] {
  if (!separate(front)) return [];
  const { line, suffix } = names(front);
  return [
    block('server', [
      ...listen(front, front.port, suffix),
      line,
      'access_log off;',
      'server_tokens off;',
      'return 301 https://$host$request_uri;',
    ]),
  ];
}

function listen({ noIpv6 }: Front, port: number, suffix: string): string[] {
  const both = [`listen ${port}${suffix};`, `listen [::]:${port}${suffix};`];
  return noIpv6 === true ? both.slice(0, 1) : both;
}

function names(front: Front): { readonly line: string; readonly suffix: string } {
  return front.domains.length > 0
    ? { line: `server_name ${front.domains.join(' ')};`, suffix: '' }
    : { line: 'server_name _;', suffix: ' default_server' };
}

function tls(front: Front, files: NonNullable<Front['tls']>, suffix: string): string[] {
  return [
    ...listen(front, 443, ` ssl http2${suffix}`),
    `ssl_certificate ${files.certificate};`,
    `ssl_certificate_key ${files.key};`,
    'ssl_protocols TLSv1.2 TLSv1.3;',
    'ssl_session_cache shared:pipeline_tls:2m;',
    'ssl_session_timeout 1d;',
    'ssl_session_tickets off;',
  ];
}
