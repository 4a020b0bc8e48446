/** The health check of a release, as a program in its folder that people can run too: `check ADDRESS:PORT`. Pure text. */

import type { ManifestHealth } from '../../contract/manifest.ts';
import { CHECK_SILENT } from '../../contract/release.ts';
import { quote } from '../../ssh/quote.ts';

/** Exit codes of a check that fails: an answer that is not good, no answer at all. */
const CHECK = { unhealthy: 1, silent: CHECK_SILENT } as const;

/** Asks once. Says on standard output what came: `POST /preview → 200` or `GET / → 500, wanted 200`. */
export function checkScript(health: ManifestHealth): string {
  const { method, path, headers, body, status, contains } = health;
  const asked = `${method} ${path}`;
  const request = [
    ...(method === 'HEAD' ? ['--head'] : ['--request', method]),
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    // `@` would be a file's name.
    ...(body === null ? [] : ['--data-raw', body]),
    ...(contains === null ? ['--output', '/dev/null'] : []),
  ].map(quote);
  const wanted = status.length === 0 ? 'below 500' : status.join(' or ');
  const accepted = status.length === 0 ? '[1234]??' : status.join('|');
  return `#!/bin/bash
# Written by pipeline: asks a process of this release whether it is well. Usage: check ADDRESS:PORT
answer=$(curl --silent --show-error --noproxy '*' --max-time ${health.timeout / 1000} --write-out '\\n%{http_code}' \\
  ${request.join(' ')} "http://$1"${quote(path)} 2>&1)
code=$?
status=\${answer##*$'\\n'} body=\${answer%$'\\n'*}
case $code in
  0) ;;
  7) echo ${quote(`${asked} → nothing answers on`)}" $1"; exit ${CHECK.silent} ;;
  28) echo ${quote(`${asked} → no answer within ${health.timeout / 1000} s on`)}" $1"; exit ${CHECK.unhealthy} ;;
  *) echo ${quote(`${asked} →`)}" \${body##*curl: }"; exit ${CHECK.unhealthy} ;;
esac
case $status in
  ${accepted}) ;;
  *) echo ${quote(`${asked} →`)}" $status, wanted ${wanted}"; exit ${CHECK.unhealthy} ;;
esac
${
  contains === null
    ? ''
    : `[[ $body == *${quote(contains)}* ]] || { echo ${quote(`${asked} →`)}" $status, but the body lacks "${quote(JSON.stringify(contains))}; exit ${CHECK.unhealthy}; }
`
}echo ${quote(`${asked} →`)}" $status"
`;
}
