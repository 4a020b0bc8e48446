/**
 * The status page: one file without scripts, for everybody. It says nothing of hosts, addresses or versions.
 * Pure.
 */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../../escape.ts';
import { duration } from '../../format.ts';
import type { Impact, Reason } from './impact.ts';
import type { Incident, Words } from './incidents.ts';
import STYLE from './style.css' with { type: 'text' };

const DAY_MS = 86_400_000;
export const DAYS = 90;
const MOST_INCIDENTS = 50;

/** What was seen of an application on a day, ms. */
export interface Day {
  readonly seen: number;
  readonly look: number;
  readonly broken: number;
}

export interface StatusApp {
  /** As visitors know it. */
  readonly label: string;
  readonly name: string;
  /** Undefined: it was never seen. */
  readonly impact: Impact | undefined;
  /** By day, `2026-11-29` in UTC. */
  readonly days: ReadonlyMap<string, Day>;
}

export interface Status {
  readonly title: string;
  readonly now: number;
  readonly apps: readonly StatusApp[];
  readonly incidents: readonly Incident[];
  readonly words: ReadonlyMap<string, readonly Words[]>;
}

/** The policy under which the page works: nothing is loaded, nothing runs. */
export const STATUS_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const STATE: Readonly<Record<Impact, string>> = { well: 'Works', look: 'Impaired', broken: 'Down' };
const REASONS: Readonly<Record<Reason, string>> = {
  errors: 'Requests fail.',
  latency: 'It is slow.',
  unreachable: 'It does not answer.',
  partly: 'A part of it does not answer.',
  other: 'It does not work as it should.',
};

export function statusPage(status: Status): string {
  const { title, now, apps, words } = status;
  const incidents = status.incidents.toSorted((a, b) => b.from - a.from).slice(0, MOST_INCIDENTS);
  const label = (name: string) =>
    name === '' ? 'All applications' : (apps.find((app) => app.name === name)?.label ?? name);
  const article = (one: Incident) => incidentPart(one, label(one.app), words.get(one.id) ?? []);
  const going = incidents.filter(({ until }) => until === undefined);
  const over = incidents.filter(({ until }) => until !== undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="${escapeHtml(STATUS_CSP)}">
<meta http-equiv="refresh" content="60">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${summary(apps, going)}
${going.map(article).join('\n')}
<h2>Applications</h2>
${apps.map((app) => appPart(app, now)).join('\n')}
<h2>Incidents of ${DAYS} days</h2>
${over.length === 0 ? '<p class="dim">None.</p>' : over.map(article).join('\n')}
<p class="dim">As of ${time(now)}, written every minute. Days are those of UTC.</p>
</body>
</html>
`;
}

function summary(apps: readonly StatusApp[], going: readonly Incident[]): string {
  const known = apps.flatMap(({ impact }) => impact ?? []);
  const all = [...known, ...going.map(({ impact }) => impact)];
  const worst = all.includes('broken') ? 'broken' : all.includes('look') ? 'look' : 'well';
  if (known.length === 0 && going.length === 0) return '<p class="now none">Nothing is known yet.</p>';
  const text = { well: 'All works.', look: 'Something is impaired.', broken: 'Something is down.' }[worst];
  return `<p class="now ${worst}" role="status">${text}</p>`;
}

function appPart({ label, impact, days }: StatusApp, now: number): string {
  const bars = Array.from({ length: DAYS }, (_, i) => {
    const day = dayOf(now - (DAYS - 1 - i) * DAY_MS);
    const { kind, text } = dayText(days.get(day));
    const title = `<title>${day}: ${text}</title>`;
    return `<rect x="${i * 8}" width="6" height="32" rx="2" class="${kind}">${title}</rect>`;
  });
  const state = impact === undefined ? 'Not known' : STATE[impact];
  return `<section>
<div class="head"><h3>${escapeHtml(label)}</h3><strong class="${impact ?? 'none'}">${state}</strong></div>
<svg viewBox="0 0 718 32" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(uptime(days))}">
${bars.join('')}</svg>
<p class="dim">${uptime(days)}</p>
</section>`;
}

/** `99.98 % of the time in 12 days`; what nobody saw does not count. */
function uptime(days: ReadonlyMap<string, Day>): string {
  const sum = (of: (day: Day) => number) => [...days.values()].reduce((total, day) => total + of(day), 0);
  const seen = sum((day) => day.seen);
  if (seen === 0) return 'Not watched yet.';
  // Never 100 % where something was down.
  const share = Math.floor((1 - sum((day) => day.broken) / seen) * 10_000) / 100;
  return `Worked ${share} % of the time, watched for ${duration(Math.max(60_000, seen - (seen % 60_000)))}.`;
}

function dayText(day: Day | undefined): { readonly kind: Impact | 'none'; readonly text: string } {
  if (day === undefined || day.seen === 0) return { kind: 'none', text: 'not watched' };
  if (day.broken > 0) return { kind: 'broken', text: `down for ${minutes(day.broken)}` };
  if (day.look > 0) return { kind: 'look', text: `impaired for ${minutes(day.look)}` };
  return { kind: 'well', text: 'worked' };
}

function incidentPart(one: Incident, label: string, words: readonly Words[]): string {
  const { impact, reason, from, until } = one;
  const what = reason === undefined ? '' : ` ${REASONS[reason]}`;
  const end = until === undefined ? 'goes on' : `${time(until)} (${minutes(until - from)})`;
  const said = words.map(({ at, text }) => `<p>${escapeHtml(text)} <span class="dim">${time(at)}</span></p>`);
  return `<article>
<h3><span class="${impact}">${until === undefined ? '■' : '□'}</span> ${escapeHtml(label)}.${what}</h3>
<p class="dim">${time(from)} – ${end}</p>
${said.join('\n')}
</article>`;
}

const minutes = (ms: number) => duration(Math.max(60_000, Math.round(ms / 60_000) * 60_000));

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function time(at: number): string {
  const text = new Date(at).toISOString();
  return `<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 16)} UTC</time>`;
}
