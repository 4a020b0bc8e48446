/** Every application on one host: what is live, and whether it is healthy. */
import type { Context } from '../../context.ts';
import { manifestSchema } from '../../contract/manifest.ts';
import { APPS } from '../../contract/places.ts';
import { PROXY_FUNCTIONS } from '../../proxy/scripts.ts';
import type { Connection } from '../../ssh/connection.ts';
import { withValues } from '../../ssh/script.ts';
import type { AppStatus } from '../types.ts';
import script from './app-status.sh' with { type: 'text' };
import { parseClosed } from './facts.ts';

/** Asks each application's processes with their own health check. */
const SCRIPT = `${PROXY_FUNCTIONS}\n${withValues(script, { apps: APPS })}`;

/** One round trip; touches nothing. */
export async function appStatus(connection: Connection, context: Context): Promise<readonly AppStatus[]> {
  const text = await connection.check(SCRIPT, { label: 'applications', signal: context.signal });
  return parseStatus(text);
}

/** The pure part. An application is healthy if all of its processes are. */
export function parseStatus(text: string): readonly AppStatus[] {
  const all: { app: AppStatus; reasons: string[] }[] = [];
  for (const line of text.split('\n')) {
    const [, key, rest = ''] = /^(app|closed|process) (.*)$/.exec(line) ?? [];
    if (key === 'app') {
      const manifest = manifestSchema.parse(JSON.parse(rest));
      const { app, release, commit, ref } = manifest;
      all.push({ app: { app, release, commit, ref, healthy: true }, reasons: [] });
    } else if (key === 'closed') {
      const last = all.at(-1);
      if (last !== undefined) last.app = { ...last.app, maintenance: parseClosed(rest) };
    } else if (key === 'process' && !rest.startsWith('0 ')) {
      all.at(-1)?.reasons.push(rest.slice(2));
    }
  }
  return all.map(({ app, reasons: [reason] }) =>
    reason === undefined ? app : { ...app, healthy: false, reason },
  );
}
