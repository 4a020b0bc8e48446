/**
 * The forms of docs/alerts.md, followed literally, against receivers that check what each service publishes.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deliver, type Target } from '../../src/alerts/deliver.ts';
import type { Notice } from '../../src/alerts/types.ts';
import { webhookRequest } from '../../src/alerts/webhook.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import { alertPlaces } from '../../src/watching/desired.ts';

const notice = (state: Notice['state'], message = 'the disk "/" on web\nis full'): Notice => ({
  state,
  at: 60_000,
  alert: { key: 'disk|web|/', rule: 'disk', severity: 'critical', subject: 'web', message, since: 0 },
});

const documented = (() => {
  const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');
  const [, text = ''] = /```yaml\n(alerts:\n {2}notify:\n {4}# ntfy[\s\S]*?)```/.exec(page) ?? [];
  return alertsSchema.parse((parse(text) as { alerts: unknown }).alerts);
})();

const ENV = {
  NTFY_TOKEN: 'tk_s3cret',
  TELEGRAM: 'https://api.telegram.org/bot1:s3cret/sendMessage',
  TELEGRAM_CHAT: '-1001',
  DISCORD_WEBHOOK: 'https://discord.com/api/webhooks/1/s3cret',
  TEAMS_WORKFLOW: 'https://prod.example/workflows/1?sig=s3cret',
  PAGERDUTY_KEY: 'k'.repeat(32),
};

interface Sent {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** What is sent to the n-th documented place, at a receiver of our own that answers as `judge` says. */
async function sentTo(index: number, state: Notice['state'], judge: (sent: Sent) => number): Promise<Sent> {
  const place = alertPlaces(documented, ENV).targets[index];
  if (place === undefined || !('webhook' in place)) throw new Error('no such place');
  let got: Sent | undefined;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const json = /json/.test(request.headers['content-type'] ?? '') ? JSON.parse(text) : {};
    got = { headers: request.headers, text, json };
    response.writeHead(judge(got)).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  await deliver(
    { ...place, webhook: `http://127.0.0.1:${port}/` } as Target,
    [notice(state)],
    'https://m/dashboard',
  );
  if (got === undefined) throw new Error('nothing came');
  return got;
}

describe('a webhook takes the form of its receiver', () => {
  it('ntfy: the text as it is, the rest in headers', async () => {
    const { headers, text } = await sentTo(0, 'firing', (sent) => (sent.text === '' ? 400 : 200));
    expect(text).toBe('Critical: The disk "/" on web\nis full.');
    expect(headers).toMatchObject({ title: 'web', tags: 'critical', authorization: 'Bearer tk_s3cret' });
  });

  it('Telegram: chat_id and text of 1 to 4096 characters', async () => {
    const { json } = await sentTo(1, 'firing', ({ json: { chat_id, text } }) =>
      /^-?\d+$|^@/.test(String(chat_id)) && String(text).length > 0 && String(text).length <= 4096
        ? 200
        : 400,
    );
    expect(json).toEqual({ chat_id: '-1001', text: 'Critical: The disk "/" on web\nis full.' });
  });

  it('Discord: content of at most 2000 characters, answered by 204', async () => {
    const { json } = await sentTo(2, 'firing', ({ json: { content } }) =>
      typeof content === 'string' && content !== '' && content.length <= 2000 ? 204 : 400,
    );
    expect(json.content).toContain('is full.');
  });

  it('Microsoft Teams: a message with one adaptive card, answered by 202', async () => {
    await sentTo(3, 'firing', ({ json }) => {
      const [attachment, ...more] = json.attachments as { contentType: string; content: object }[];
      const card = { type: 'AdaptiveCard', version: '1.4' };
      const right =
        json.type === 'message' &&
        more.length === 0 &&
        attachment?.contentType === 'application/vnd.microsoft.card.adaptive';
      expect(attachment?.content).toMatchObject({
        ...card,
        body: [{ type: 'TextBlock', text: 'Critical: The disk "/" on web\nis full.', wrap: true }],
      });
      return right ? 202 : 400;
    });
  });

  it.each([
    ['firing', 'trigger'],
    ['test', 'trigger'],
    ['resolved', 'resolve'],
  ] as const)('PagerDuty, %s: an event to %s, of the same incident', async (state, action) => {
    const { json } = await sentTo(4, state, ({ json: { routing_key, event_action, payload } }) => {
      const { summary, source, severity } = payload as Record<string, string>;
      const known = ['critical', 'error', 'warning', 'info'].includes(severity ?? '');
      const whole = String(routing_key).length === 32 && summary !== '' && source !== '' && known;
      return whole && ['trigger', 'acknowledge', 'resolve'].includes(String(event_action)) ? 202 : 400;
    });
    expect(json).toMatchObject({ event_action: action, dedup_key: 'disk|web|/' });
  });
});

it('what is told never breaks out of the form', () => {
  const place = { webhook: 'http://127.0.0.1', body: { a: '${message}' } };

  const { body } = webhookRequest(place, notice('firing', '", "b": "${subject}'), 'text', undefined);
  expect(JSON.parse(body)).toEqual({ a: '", "b": "${subject}' });
});

it('a header is one line of ASCII', () => {
  const { headers } = webhookRequest(
    { headers: { Title: '${message}' } },
    notice('firing', 'ö\r\nX: y'),
    '',
    '',
  );
  expect(headers.title).toBe(`=?UTF-8?B?${Buffer.from('ö X: y').toString('base64')}?=`);
});

it.each([
  [{ body: '${txet}' }, /\$\{txet\}, which stands for nothing/],
  [{ headers: { A: '${MISSING}' } }, /MISSING, which alerts: names, is not set/],
])('%j is refused by setup', (form, why) => {
  const alerts = alertsSchema.parse({ notify: [{ webhook: 'https://example.com', ...form }] });
  expect(() => alertPlaces(alerts, {})).toThrow(why);
});
