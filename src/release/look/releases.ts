/** What was deployed when, by whom, with what result, as the hosts know it. */
import type { Context } from '../../context.ts';
import { AUDIT_LOG } from '../../contract/places.ts';
import { type AuditEntry, auditEntrySchema } from '../../environment/audit.ts';
import { quote } from '../../ssh/quote.ts';
import { liveRelease } from '../plan/decide.ts';
import type { AppOnHosts, ReleaseRecord } from '../types.ts';
import { type AppFacts, factsScript, parseAppFacts, type ReleaseState } from './facts.ts';

/** What one host knows: its releases, and its audit log's entries on those that are gone. */
export interface HostHistory {
  readonly host: string;
  readonly facts: AppFacts;
  readonly audit: readonly AuditEntry[];
}

/** If hosts differ, the first of these that any of them reports. */
const ORDER: readonly ReleaseState[] = ['withdrawn', 'live', 'failed', 'unfinished'];

/** All releases that an application's hosts know of, newest first. */
export async function releases(request: AppOnHosts, context: Context): Promise<readonly ReleaseRecord[]> {
  const { app, hosts } = request;
  const histories = await Promise.all(
    hosts.map(async ({ name, connection }): Promise<HostHistory> => {
      const mentioned = quote(`"app":${JSON.stringify(app)}`);
      const script = `${factsScript(app)}
cat ${AUDIT_LOG}.1 ${AUDIT_LOG} 2>/dev/null | grep -F ${mentioned} | sed 's/^/audit /'`;
      const text = await connection.check(`${script} || true`, {
        label: `releases of ${app}`,
        signal: context.signal,
      });
      return { host: name, facts: parseAppFacts(name, app, text), audit: parseAudit(text) };
    }),
  );
  return records(histories);
}

/**
 * The pure part: a record for each release, from its folder if that still exists, else from the audit logs.
 */
export function records(histories: readonly HostHistory[]): readonly ReleaseRecord[] {
  const kept = histories.flatMap(({ facts }) => facts.releases);
  const told = histories
    .flatMap(({ audit }) => audit)
    .filter(({ release }) => release !== undefined)
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  const entries = told.filter(({ action }) => action === 'deploy');
  const names = new Set([
    ...kept.map(({ manifest }) => manifest.release),
    ...entries.flatMap(({ release }) => release ?? []),
  ]);
  return [...names]
    .sort((a, b) => (a < b ? 1 : -1))
    .flatMap((release): ReleaseRecord[] => {
      const folders = kept.filter(({ manifest }) => manifest.release === release);
      const lines = entries.filter((entry) => entry.release === release);
      const said = folders[0]?.manifest ?? lines[0];
      if (said === undefined) return [];
      const states: readonly ReleaseState[] =
        folders.length > 0
          ? folders.map(({ state }) => state)
          : lines.map(({ result }) => (result === 'live' ? 'live' : 'failed'));
      const result = ORDER.find((one) => states.includes(one)) ?? 'failed';
      const failed = states.includes('failed');
      const reason = lines.findLast((line) => line.result === 'failed')?.message;
      const liveOn = histories
        .filter(({ facts }) => liveRelease(facts)?.manifest.release === release)
        .map(({ host }) => host);
      const closed = histories.some(({ host, facts }) => liveOn.includes(host) && facts.closed !== undefined);
      const served =
        folders.length === histories.length &&
        folders.every(({ state }) => state === 'live' || state === 'withdrawn');
      return [
        {
          release,
          commit: said.commit ?? null,
          ref: said.ref ?? '',
          subject: said.subject ?? '',
          at: said.at,
          by: said.by,
          result,
          ...(failed && reason !== undefined ? { reason } : {}),
          live: liveOn.length === histories.length,
          liveOn,
          ...(closed ? { maintenance: true } : {}),
          kept: served,
          steps: told
            .filter((entry) => entry.action === 'rollout' && entry.release === release)
            .map(({ at, result: kind, message = '' }) => ({ at, kind, message })),
        },
      ];
    });
}

function parseAudit(text: string): readonly AuditEntry[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('audit ')) return [];
    try {
      return auditEntrySchema.safeParse(JSON.parse(line.slice(6))).data ?? [];
    } catch {
      // A full disk or a power cut left the line unfinished.
      return [];
    }
  });
}
