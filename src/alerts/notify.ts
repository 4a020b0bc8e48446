/** Brings messages to people. A place that does not answer is tried again, and keeps no other from getting the message. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import type { Notice } from './types.ts';

/** Where a message goes, secrets filled in. */
export type Target =
  | { readonly webhook: string }
  | { readonly slack: string }
  | { readonly email: { readonly to: readonly string[]; readonly from: string; readonly smtp: string } };

export interface NotifyOptions {
  /** Where the dashboard is, for a link; absent: none. */
  readonly dashboard?: string | undefined;
  readonly attempts?: number | undefined;
  readonly delayMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;

/** @returns one sentence for each target that did not take it, free of secrets */
export async function notify(
  targets: readonly Target[],
  notice: Notice,
  options: NotifyOptions = {},
): Promise<readonly string[]> {
  const { attempts = 5, delayMs = 2000 } = options;
  const results = await Promise.all(
    targets.map(async (target) => {
      for (let attempt = 1; ; attempt++) {
        try {
          await send(target, notice, options);
          return undefined;
        } catch (error) {
          if (attempt >= attempts) return `${nameOf(target)} did not take the message: ${reason(error)}`;
          await sleep(delayMs * 2 ** (attempt - 1));
        }
      }
    }),
  );
  return results.filter((result) => result !== undefined);
}

/** The text of a message: its first line says all. */
export function textOf({ state, alert }: Notice): string {
  if (state === 'test') return 'Test: alerts from this monitor arrive here.';
  const message = alert.message.charAt(0).toUpperCase() + alert.message.slice(1);
  return state === 'resolved'
    ? `Resolved: ${message}.`
    : `${alert.severity === 'critical' ? 'Critical' : 'Warning'}: ${message}.`;
}

async function send(target: Target, notice: Notice, { dashboard }: NotifyOptions): Promise<void> {
  const text = textOf(notice);
  const link = dashboard === undefined ? '' : `\n${dashboard}`;
  if ('webhook' in target) {
    const { rule, severity, subject, message, since } = notice.alert;
    const body = {
      state: notice.state,
      rule,
      severity,
      subject,
      message,
      text,
      since,
      at: notice.at,
      dashboard,
    };
    return post(target.webhook, body);
  }
  if ('slack' in target) {
    // Names of hosts and units are text, not Slack's markup.
    const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return post(target.slack, { text: `${safe}${link}` });
  }
  const { to, from, smtp } = target.email;
  const transport = createTransport({ url: smtp, connectionTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS });
  try {
    await transport.sendMail({ to: [...to], from, subject: text, text: `${text}${link}\n` });
  } finally {
    transport.close();
  }
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}

/** An address may hold a secret: only the host is named. */
function nameOf(target: Target): string {
  if ('email' in target) return `e-mail to ${target.email.to.join(', ')}`;
  const url = 'webhook' in target ? target.webhook : target.slack;
  return `${'webhook' in target ? 'webhook' : 'Slack'} at ${URL.canParse(url) ? new URL(url).host : 'an address that is none'}`;
}

function reason(error: unknown): string {
  const { message, cause, name } = error as Error & { cause?: Error };
  if (name === 'TimeoutError') return 'it did not answer in time';
  return (cause?.message ?? message).replace(/\S+:\/\/\S+/g, '(address)');
}
