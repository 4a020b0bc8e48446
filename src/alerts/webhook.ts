/**
 * What a webhook is sent: our own document, or a form of the receiver's with names for what is told. Pure.
 */
import type { Notice } from './types.ts';

/** A body as it is declared: text, or a document in whose texts names stand. */
export type BodyForm = string | { readonly [key: string]: unknown };

export interface WebhookForm {
  /** Values may hold names too. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Absent: our own document. */
  readonly body?: BodyForm | undefined;
}

export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `${text}` in a form stands for what is told. */
const PLACEHOLDER = /\$\{([a-z]+)\}/g;

/** What names in a form stand for. */
export const FORM_NAMES = [
  'text',
  'state',
  'action',
  'key',
  'rule',
  'severity',
  'subject',
  'message',
  'since',
  'at',
  'dashboard',
] as const;
type FormName = (typeof FORM_NAMES)[number];

/** @param text what a person reads of the notice */
export function webhookRequest(
  { headers = {}, body }: WebhookForm,
  notice: Notice,
  text: string,
  dashboard: string | undefined,
): WebhookRequest {
  const values = valuesOf(notice, text, dashboard);
  const fill = (form: string) =>
    form.replaceAll(PLACEHOLDER, (whole, name: string) => values[name as FormName] ?? whole);
  const filled = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), headerText(fill(value))]),
  );
  if (typeof body === 'string') {
    return { headers: { 'content-type': 'text/plain; charset=utf-8', ...filled }, body: fill(body) };
  }
  const document = body === undefined ? ownDocument(notice, text, dashboard) : filledIn(body, fill);
  return { headers: { 'content-type': 'application/json', ...filled }, body: JSON.stringify(document) };
}

/** Names in a form that stand for nothing. */
export function unknownNames(form: unknown): readonly string[] {
  if (typeof form === 'string') {
    const names = [...form.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
    return names.filter((name) => !(FORM_NAMES as readonly string[]).includes(name));
  }
  return typeof form === 'object' && form !== null ? Object.values(form).flatMap(unknownNames) : [];
}

/** Documented in docs/alerts.md. */
function ownDocument({ state, alert, at }: Notice, text: string, dashboard: string | undefined) {
  const { key, rule, severity, subject, message, since } = alert;
  return { state, key, rule, severity, subject, message, text, since, at, dashboard };
}

function valuesOf(
  { state, alert, at }: Notice,
  text: string,
  dashboard: string | undefined,
): Readonly<Record<FormName, string>> {
  const { key, rule, severity, subject, message, since } = alert;
  return {
    text,
    state,
    // PagerDuty's words for what to do with an incident.
    action: state === 'resolved' ? 'resolve' : 'trigger',
    key,
    rule,
    severity,
    subject,
    message,
    since: new Date(since).toISOString(),
    at: new Date(at).toISOString(),
    dashboard: dashboard ?? '',
  };
}

function filledIn(form: unknown, fill: (text: string) => string): unknown {
  if (typeof form === 'string') return fill(form);
  if (Array.isArray(form)) return form.map((one) => filledIn(one, fill));
  if (typeof form !== 'object' || form === null) return form;
  return Object.fromEntries(Object.entries(form).map(([key, value]) => [key, filledIn(value, fill)]));
}

/** One line; what is not ASCII as RFC 2047 has it, which HTTP itself cannot carry. */
function headerText(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return /^[\x20-\x7e]*$/.test(line) ? line : `=?UTF-8?B?${Buffer.from(line).toString('base64')}?=`;
}
