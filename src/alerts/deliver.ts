/** Brings messages to one place: a webhook, Slack, or e-mail. */
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { redact } from '../redact.ts';
import { httpAddress } from './http-address.ts';
import type { Notice } from './types.ts';
import { type WebhookForm, webhookRequest } from './webhook.ts';

/** Where a message goes, secrets filled in. */
export type Target =
  | ({ readonly webhook: string } & WebhookForm)
  | { readonly slack: string }
  | {
      readonly email: {
        readonly to: readonly string[];
        readonly from: string;
        readonly smtp: string;
        /** `on`, `off`, or the path of a PEM file with the CA to trust. */
        readonly tls?: string | undefined;
      };
    };

const TIMEOUT_MS = 10_000;

/**
 * One attempt. Slack and e-mail get one message for all notices, a webhook one for each, in order.
 * @param dashboard where the dashboard is, for a link; undefined: none
 * @throws Error that may hold an address: show it with `reason`
 */
export async function deliver(
  target: Target,
  notices: readonly Notice[],
  dashboard: string | undefined,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  if ('webhook' in target) {
    for (const notice of notices) {
      const { headers, body } = webhookRequest(target, notice, textOf(notice), dashboard);
      await post(target.webhook, headers, body, timeoutMs);
    }
    return;
  }
  const { subject, text } = messageOf(notices, dashboard);
  // Names of hosts and units are text, not Slack's markup.
  if ('slack' in target) {
    const body = JSON.stringify({ text: escapeMarkup(text) });
    return post(target.slack, { 'content-type': 'application/json' }, body, timeoutMs);
  }
  const { to, from, smtp, tls } = target.email;
  const transport = createTransport({ url: smtp, ...mailOptions(smtp, tls), ...timeouts(timeoutMs) });
  try {
    await transport.sendMail({ to: [...to], from, subject, text: `${text}\n` });
  } finally {
    transport.close();
  }
}

/** The text of a message: its first line says all. */
function textOf({ state, alert }: Notice): string {
  if (state === 'test') return 'Test: alerts from this monitor arrive here.';
  const message = alert.message.charAt(0).toUpperCase() + alert.message.slice(1);
  if (state === 'resolved') return `Resolved: ${message}.`;
  return `${alert.severity === 'critical' ? 'Critical' : 'Warning'}: ${message}.`;
}

/** What a person reads: one sentence for each notice, the gravest in the subject. */
export function messageOf(
  notices: readonly Notice[],
  dashboard: string | undefined,
): { readonly subject: string; readonly text: string } {
  const rank = ({ state, alert }: Notice) =>
    state === 'resolved' ? 2 : alert.severity === 'critical' ? 0 : 1;
  const lines = notices.toSorted((a, b) => rank(a) - rank(b)).map(textOf);
  const [first = ''] = lines;
  const subject = lines.length === 1 ? first : `${first} And ${lines.length - 1} more.`;
  return { subject, text: [...lines, ...(dashboard === undefined ? [] : [dashboard])].join('\n') };
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * A password is never sent in the clear over a network. On loopback nobody can listen, and a mail server
 * there seldom has a certificate that anybody signed.
 */
function mailOptions(smtp: string, tls: string | undefined) {
  const { protocol, username, hostname } = new URL(smtp);
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  const secured = protocol === 'smtp:' && username !== '' && !here;
  if (tls === 'off' && secured) throw new Error('tls: off would send the password in the clear');
  if (tls === 'off') return { ignoreTLS: true };
  if (tls === 'on') return { requireTLS: true };
  if (tls !== undefined) return { requireTLS: true, tls: { ca: readFileSync(tls, 'utf8') } };
  return { requireTLS: secured, ...(here ? { tls: { rejectUnauthorized: false } } : {}) };
}

function timeouts(ms: number) {
  return { connectionTimeout: ms, greetingTimeout: ms, socketTimeout: ms, dnsTimeout: ms };
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<void> {
  const address = httpAddress(url, headers);
  const response = await fetch(address.url, {
    method: 'POST',
    headers: address.headers,
    body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}

/** An address may hold a secret: only the host is named. */
export function nameOf(target: Target): string {
  if ('email' in target) return `e-mail to ${target.email.to.join(', ')}`;
  const [kind, url] = 'webhook' in target ? ['webhook', target.webhook] : ['Slack', target.slack];
  return `${kind} at ${URL.canParse(url) ? new URL(url).host : 'an invalid address'}`;
}

/** Why it was not taken, without any address. */
export function reason(thrown: unknown): string {
  const { message, cause, name } = thrown as Error & { cause?: Error };
  if (name === 'TimeoutError') return 'it did not answer in time';
  return redact((cause?.message ?? message).replace(/\S+:\/\/\S+/g, '(address)'));
}
