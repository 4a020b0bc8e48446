/**
 * The status page: one file without scripts, for everybody. It says nothing of hosts, addresses or versions.
 * Pure.
 */
import { createHash } from 'node:crypto';
import { duration } from '../../format.ts';
import type { Impact, Reason } from './impact.ts';
import type { Incident, Words } from './incidents.ts';

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

const STYLE = `
:root{color-scheme:light dark;--text:light-dark(#17202b,#e4e9ef);--dim:light-dark(#5a6675,#9aa6b4);
--back:light-dark(#f5f7f9,#0d1117);--card:light-dark(#fff,#161b22);--edge:light-dark(#dde3ea,#2a323d);
--well:light-dark(#1f8a4c,#3fb56f);--look:light-dark(#b26a00,#e0a030);--broken:light-dark(#c62f36,#f4767a);
--none:light-dark(#d4dae1,#333c47)}
body{margin:0 auto;max-width:760px;padding:32px 16px;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:22px;margin:0 0 16px}h2{font-size:17px;margin:32px 0 8px}h3{font-size:15px;margin:0}
.now{padding:14px 18px;border-radius:10px;color:#fff;font-weight:600;background:light-dark(#1f7a45,#1f6b40)}
.now.look{background:#8f5500}.now.broken{background:#b3262e}.now.none{background:#5a6675}
section,article{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 16px;margin:12px 0}
.head{display:flex;justify-content:space-between;gap:12px}
svg{display:block;width:100%;height:32px;margin:8px 0 4px}
.well{fill:var(--well);color:var(--well)}.look{fill:var(--look);color:var(--look)}
.broken{fill:var(--broken);color:var(--broken)}.none{fill:var(--none);color:var(--dim)}
.now.well,.now.look,.now.broken,.now.none{color:#fff}
.dim{color:var(--dim);font-size:13px}p{margin:4px 0}time{font-variant-numeric:tabular-nums}
`;

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
<meta http-equiv="content-security-policy" content="${escaped(STATUS_CSP)}">
<meta http-equiv="refresh" content="60">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
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
    return `<rect x="${i * 8}" width="6" height="32" rx="2" class="${kind}"><title>${day}: ${text}</title></rect>`;
  });
  const state = impact === undefined ? 'Not known' : STATE[impact];
  return `<section>
<div class="head"><h3>${escaped(label)}</h3><strong class="${impact ?? 'none'}">${state}</strong></div>
<svg viewBox="0 0 718 32" preserveAspectRatio="none" role="img" aria-label="${escaped(uptime(days))}">${bars.join('')}</svg>
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
  const said = words.map(({ at, text }) => `<p>${escaped(text)} <span class="dim">${time(at)}</span></p>`);
  return `<article>
<h3><span class="${impact}">${until === undefined ? '■' : '□'}</span> ${escaped(label)}.${what}</h3>
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

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text.replace(/[&<>"']/g, (letter) => `&${names[letter]};`);
}
