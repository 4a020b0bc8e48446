/**
 * A release's health check, a program in its folder that people can run too: `check ADDRESS:PORT`. Pure.
 */
import type { ManifestHealth } from '../../contract/manifest.ts';
import { withValues } from '../../ssh/script.ts';
import check from './check.sh' with { type: 'text' };

/**
 * Asks once, and prints what came: `POST /preview → 200` or `GET / → 500, wanted 200`. Exits 0 if healthy, 1
 * if not, 2 if nothing answers.
 */
export function checkScript(health: ManifestHealth): string {
  const { method, path, headers, body, status, contains, timeout } = health;
  const request = [
    ...(method === 'HEAD' ? ['--head'] : ['--request', method]),
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    // With --data, `@` would name a file.
    ...(body === null ? [] : ['--data-raw', body]),
    ...(contains === null ? ['--output', '/dev/null'] : []),
  ];
  const values = {
    asked: `${method} ${path}`,
    path,
    request,
    seconds: String(timeout / 1000),
    wanted: status.length === 0 ? 'below 500' : status.join(' or '),
    accepted: status.map(String),
    contains: contains ?? '',
    shown: JSON.stringify(contains ?? ''),
  };
  return `#!/bin/bash\n# Written by pipeline.\n${withValues(check, values)}`;
}
