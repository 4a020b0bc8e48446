/** What is wrong now, by the rules. Pure. */

import type { AlertsConfig } from '../config/schema.ts';
import { age, duration } from '../format.ts';
import type { Row, Window } from '../metrics/catalogue.ts';
import { mean } from '../metrics/merge.ts';
import type { Finding, LastingRule, Severity } from './types.ts';

/** What the rules look at. */
export interface HostView {
  readonly name: string;
  /** When a sample came last, ms; undefined: never since the hub started. */
  readonly heardAt: number | undefined;
  readonly aheadMs: number;
  readonly latest: Window | undefined;
  /** Restarts of units in the last 10 minutes. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Growth of each mount, bytes a second, over the last hours; absent where unknown. */
  readonly growth: ReadonlyMap<string, number>;
}

export interface AppView {
  readonly name: string;
  /** Of the last minute. */
  readonly requests: number;
  readonly errors: number;
  readonly p90: number | undefined;
  /** p90 of the same hour a week ago; undefined where it is not known. */
  readonly usualP90: number | undefined;
}

export interface MonitorView {
  readonly now: number;
  /** Since when the hub takes samples in: before, silence is its own. */
  readonly listeningSince: number;
  readonly hosts: readonly HostView[];
  readonly apps: readonly AppView[];
  /** Hosts that were told to be silent: they are until they are heard, also when the hub has just begun. */
  readonly silentBefore: ReadonlySet<string>;
  /** Share of Redis's memory limit; undefined: no limit. */
  readonly storage: number | undefined;
  /** Why no samples are taken in; empty where they are. */
  readonly trouble: string;
}

type Rules = AlertsConfig['rules'];
const DAY_SECONDS = 86_400;
/** Fewer requests say nothing about a share. */
const MIN_REQUESTS = 20;
/** A quarter of a millisecond doubled is nobody's trouble. */
const MIN_LATENCY_MS = 20;

export function findings(view: MonitorView, rules: Rules): readonly Finding[] {
  return [
    ...view.hosts.flatMap((host) => hostFindings(host, view, rules)),
    ...view.apps.flatMap((app) => appFindings(app, rules)),
    ...storageFindings(view, rules),
  ];
}

type Tell = (rule: LastingRule, severity: Severity, what: string, message: string) => Finding;

function hostFindings(host: HostView, view: MonitorView, rules: Rules): readonly Finding[] {
  const { name, latest } = host;
  const on: Tell = (rule, severity, what, message) => finding(rule, severity, name, 'host', what, message);
  // Whatever else it said last is old: one message for one trouble.
  const silence = silenceFindings(host, view, rules, on);
  if (silence.length > 0) return silence;
  if (latest === undefined) return [];
  return [
    ...systemFindings(host, latest, rules, on),
    ...latest.disks.flatMap((disk) => diskFindings(host, disk, rules)),
    ...unitFindings(host, latest, rules, on),
    ...serviceFindings(name, latest, rules, on),
    ...certificateFindings(latest, view.now, rules, on),
    ...backupFindings(name, latest, view.now, rules, on),
  ];
}

function silenceFindings(host: HostView, view: MonitorView, rules: Rules, on: Tell): readonly Finding[] {
  const { name, heardAt = 0 } = host;
  const rule = rules.host_silent;
  const silentFor = view.now - Math.max(heardAt, view.listeningSince);
  const unheard = view.silentBefore.has(name) && heardAt <= view.listeningSince;
  // The wait of this rule is the silence itself, so that it fires as soon as it has lasted.
  if (rule === 'off' || !(unheard || silentFor > rule.for)) return [];
  return [on('host_silent', 'critical', '', `${name} has sent nothing for more than ${duration(rule.for)}`)];
}

function systemFindings(host: HostView, latest: Window, rules: Rules, on: Tell): readonly Finding[] {
  const { name, aheadMs } = host;
  const [system] = latest.system;
  const used = ratio(mean(system?.memory_used ?? null), mean(system?.memory_total ?? null));
  const off = Math.abs(aheadMs);
  return [
    ...above(rules, 'memory', used, (share) =>
      on('memory', 'warning', '', `${name} uses ${percent(share)} of its memory`),
    ),
    ...above(rules, 'clock', off / 1000, () =>
      on('clock', 'warning', '', `the clock of ${name} is ${age(off)} ${aheadMs > 0 ? 'ahead' : 'behind'}`),
    ),
  ];
}

function unitFindings({ name, restarts }: HostView, latest: Window, rules: Rules, on: Tell) {
  return [
    ...failedUnits(latest, rules).map((unit) =>
      on('unit_failed', 'critical', unit, `${unit} on ${name} failed`),
    ),
    ...[...restarts].flatMap(([unit, times]) => {
      const message = `${unit} on ${name} started again ${times} times within 10 minutes`;
      return above(rules, 'unit_restarts', times, () => on('unit_restarts', 'warning', unit, message));
    }),
  ];
}

/** Checks and databases. */
function serviceFindings(name: string, latest: Window, rules: Rules, on: Tell): readonly Finding[] {
  const checks = rules.check === 'off' ? [] : latest.checks.filter(({ up }) => mean(up) === 0);
  const stores = rules.store === 'off' ? [] : latest.stores.filter(({ up }) => mean(up) === 0);
  return [
    ...checks.map(({ check, error }) =>
      on('check', 'critical', check, `check ${check} from ${name} fails: ${error}`),
    ),
    ...stores.map(({ store, kind, error }) =>
      on('store', 'critical', store, `${kind} ${store} on ${name} does not answer: ${error}`),
    ),
  ];
}

function certificateFindings({ certificates }: Window, now: number, rules: Rules, on: Tell) {
  const rule = rules.certificate;
  if (rule === 'off') return [];
  return certificates.flatMap(({ endpoint, expires }) => {
    if (expires === null) return [];
    const days = (expires - now / 1000) / DAY_SECONDS;
    if (days > rule.above) return [];
    const when = days < 0 ? 'has expired' : `expires in ${Math.floor(days)} days`;
    const severity = days < 3 ? 'critical' : 'warning';
    return [on('certificate', severity, endpoint, `the certificate of ${endpoint} ${when}`)];
  });
}

/** None for twice its interval, or one that does not come back. */
function backupFindings(name: string, { backups }: Window, now: number, rules: Rules, on: Tell) {
  if (rules.backup === 'off') return [];
  return backups.flatMap(({ item, at, since, every, error, verify_error }): readonly Finding[] => {
    const old = now - (at ?? since ?? now / 1000) * 1000;
    const why = error === '' ? '' : `: ${error}`;
    const none = at === null ? 'was never backed up' : `has no backup for ${age(old)}`;
    return [
      ...(every !== null && old > 2 * every * 1000
        ? [on('backup', 'critical', item, `${item} on ${name} ${none}${why}`)]
        : []),
      ...(verify_error === ''
        ? []
        : [
            on(
              'backup',
              'critical',
              `${item} back`,
              `the backup of ${item} on ${name} does not come back: ${verify_error}`,
            ),
          ]),
    ];
  });
}

/** Units that failed and that no entry of `except` names. */
function failedUnits({ units }: Window, { unit_failed: rule }: Rules): readonly string[] {
  if (rule === 'off') return [];
  const excepted = (rule.except ?? []).map(unitPattern);
  return units
    .filter(({ unit, state }) => state === 'failed' && !excepted.some((pattern) => pattern.test(unit)))
    .map(({ unit }) => unit);
}

/** `backup` names `backup.service`, as with systemctl; `*` stands for anything. */
function unitPattern(name: string): RegExp {
  const whole = /\.[a-z]+$|\*$/.test(name) ? name : `${name}.service`;
  const parts = whole.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function diskFindings(host: HostView, disk: Row<'disks'>, rules: Rules): readonly Finding[] {
  const rule = rules.disk;
  const size = mean(disk.size);
  const used = mean(disk.used);
  if (rule === 'off' || size === null || used === null || size === 0) return [];
  const share = used / size;
  const growth = host.growth.get(disk.mount) ?? 0;
  const hours = growth > 0 ? (size - used) / growth / 3600 : Number.POSITIVE_INFINITY;
  const fills = share > 0.5 && hours < 24;
  if (share <= rule.above && !fills) return [];
  const trend = fills
    ? `, and is full in ${hours < 1 ? 'less than an hour' : `${Math.round(hours)} hours`} if it goes on`
    : '';
  const severity = share > 0.97 || hours < 2 ? 'critical' : 'warning';
  return [
    finding(
      'disk',
      severity,
      host.name,
      'host',
      disk.mount,
      `${disk.mount} on ${host.name} is ${percent(share)} full${trend}`,
    ),
  ];
}

function storageFindings({ storage, trouble }: MonitorView, rules: Rules): readonly Finding[] {
  const on = (severity: Severity, what: string, message: string) =>
    finding('storage', severity, 'monitor', 'monitor', what, message);
  return [
    ...above(rules, 'storage', storage, (share) =>
      on('warning', '', `Redis on the monitor uses ${percent(share)} of its memory limit`),
    ),
    ...(rules.storage === 'off' || trouble === ''
      ? []
      : [on('critical', 'ingest', `the monitor takes no samples in: ${trouble}`)]),
  ];
}

function appFindings(app: AppView, rules: Rules): readonly Finding[] {
  const share = app.requests >= MIN_REQUESTS ? app.errors / app.requests : undefined;
  const { p90, usualP90 } = app;
  const slower =
    p90 !== undefined && usualP90 !== undefined && app.requests >= MIN_REQUESTS && p90 > MIN_LATENCY_MS
      ? ratio(p90, usualP90)
      : undefined;
  return [
    ...above(rules, 'errors', share, (value) =>
      finding(
        'errors',
        'critical',
        app.name,
        'app',
        '',
        `${percent(value)} of the requests to ${app.name} fail (5xx)`,
      ),
    ),
    ...above(rules, 'latency', slower, (times) =>
      finding(
        'latency',
        'warning',
        app.name,
        'app',
        '',
        `${app.name} takes ${duration(p90 ?? 0)} (p90), ${times.toFixed(1)} times what it took a week ago`,
      ),
    ),
  ];
}

function above(
  rules: Rules,
  name: 'memory' | 'clock' | 'unit_restarts' | 'errors' | 'latency' | 'storage',
  value: number | null | undefined,
  make: (value: number) => Finding,
): readonly Finding[] {
  const rule = rules[name];
  return rule === 'off' || value === null || value === undefined || value <= rule.above ? [] : [make(value)];
}

function finding(
  rule: LastingRule,
  severity: Severity,
  subject: string,
  kind: Finding['kind'],
  what: string,
  message: string,
): Finding {
  return { key: [rule, subject, what].join('|'), rule, severity, subject, kind, message };
}

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
