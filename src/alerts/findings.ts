/** What is wrong now, by the rules. Pure. */

import type { AlertsConfig } from '../config/schema.ts';
import { age, duration } from '../format.ts';
import type { Row, Window } from '../metrics/catalogue.ts';
import { mean } from '../metrics/merge.ts';
import type { Finding, LastingRule, Severity } from './types.ts';

/** What the rules go by. */
export interface HostView {
  readonly name: string;
  /** When the last sample came, ms; undefined: never since the hub started. */
  readonly heardAt: number | undefined;
  readonly aheadMs: number;
  readonly latest: Window | undefined;
  /** Restarts of units in the last 10 minutes. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Growth of each mount, bytes a second, over the last hours; absent if unknown. */
  readonly growth: ReadonlyMap<string, number>;
}

export interface AppView {
  readonly name: string;
  /** Of the last minute. */
  readonly requests: number;
  readonly errors: number;
  readonly p90: number | undefined;
  /** p90 of the same hour a week ago; undefined if unknown. */
  readonly usualP90: number | undefined;
}

export interface MonitorView {
  readonly now: number;
  /** Since when the hub takes samples in: earlier silence is its own. */
  readonly listeningSince: number;
  readonly hosts: readonly HostView[];
  readonly apps: readonly AppView[];
  /** Hosts already reported as silent: they are, until heard, even if the hub has just started. */
  readonly silentBefore: ReadonlySet<string>;
  /** Share of Redis's memory limit; undefined: no limit. */
  readonly storage: number | undefined;
  /** Why no samples are taken in; empty: they are. */
  readonly trouble: string;
}

type Rules = AlertsConfig['rules'];
const DAY_SECONDS = 86_400;
/** Of fewer requests a share says nothing. */
const MIN_REQUESTS = 20;
/** Nobody minds a quarter of a millisecond that doubles. */
const MIN_LATENCY_MS = 20;

export function findings(view: MonitorView, rules: Rules): readonly Finding[] {
  return [
    ...view.hosts.flatMap((host) => hostFindings(host, view, rules)),
    ...view.apps.flatMap((app) => appFindings(app, rules)),
    ...storageFindings(view, rules),
  ];
}

function hostFindings(host: HostView, view: MonitorView, rules: Rules): readonly Finding[] {
  const { name, latest } = host;
  const on = (rule: LastingRule, severity: Severity, what: string, message: string) =>
    finding(rule, severity, name, 'host', what, message);
  const { heardAt = 0 } = host;
  const silentFor = view.now - Math.max(heardAt, view.listeningSince);
  const unheard = view.silentBefore.has(name) && heardAt <= view.listeningSince;
  // Silence itself is this rule's wait: it fires as soon as that has lasted.
  if (rules.host_silent !== 'off' && (unheard || silentFor > rules.host_silent.for)) {
    // All else that it last said is old: one trouble, one message.
    return [
      on(
        'host_silent',
        'critical',
        '',
        `${name} has sent nothing for more than ${duration(rules.host_silent.for)}`,
      ),
    ];
  }
  if (latest === undefined) return [];
  const [system] = latest.system;
  const used = ratio(mean(system?.memory_used ?? null), mean(system?.memory_total ?? null));
  return [
    ...above(rules, 'memory', used, (share) =>
      on('memory', 'warning', '', `${name} uses ${percent(share)} of its memory`),
    ),
    ...above(rules, 'clock', Math.abs(host.aheadMs) / 1000, (off) =>
      on(
        'clock',
        'warning',
        '',
        `the clock of ${name} is ${age(off * 1000)} ${host.aheadMs > 0 ? 'ahead' : 'behind'}`,
      ),
    ),
    ...latest.disks.flatMap((disk) => diskFindings(host, disk, rules)),
    ...failedUnits(latest, rules).map((unit) =>
      on('unit_failed', 'critical', unit, `${unit} on ${name} failed`),
    ),
    ...[...host.restarts].flatMap(([unit, times]) =>
      above(rules, 'unit_restarts', times, () =>
        on(
          'unit_restarts',
          'warning',
          unit,
          `${unit} on ${name} started again ${times} times within 10 minutes`,
        ),
      ),
    ),
    ...(rules.check === 'off' ? [] : latest.checks.filter(({ up }) => mean(up) === 0)).map(
      ({ check, error }) => on('check', 'critical', check, `check ${check} from ${name} fails: ${error}`),
    ),
    ...(rules.store === 'off' ? [] : latest.stores.filter(({ up }) => mean(up) === 0)).map(
      ({ store, kind, error }) =>
        on('store', 'critical', store, `${kind} ${store} on ${name} does not answer: ${error}`),
    ),
    ...latest.certificates.flatMap(({ endpoint, expires }) => {
      const rule = rules.certificate;
      if (rule === 'off' || expires === null) return [];
      const days = (expires - view.now / 1000) / DAY_SECONDS;
      if (days > rule.above) return [];
      const when = days < 0 ? 'has expired' : `expires in ${Math.floor(days)} days`;
      return [
        on(
          'certificate',
          days < 3 ? 'critical' : 'warning',
          endpoint,
          `the certificate of ${endpoint} ${when}`,
        ),
      ];
    }),
  ];
}

/** Failed units that `except` does not name. */
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
