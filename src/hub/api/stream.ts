/** The stream that keeps a page up to date. */
import { gzipSync } from 'node:zlib';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Request } from '../access/sign-in.ts';
import type { Overview } from '../api-types.ts';
import type { Live } from '../charts/live.ts';
import type { ChartSource } from '../charts/queries.ts';
import { CSP } from './guard.ts';
import { subjectOf } from './query.ts';

/** How long one stream lives. */
const STREAM_MS = 10 * 60_000;
const FULL = 'event: full\ndata: {}\n\n';

/** Answers with server-sent events, which `live` writes from then on. */
export function stream(source: ChartSource, live: Live, overview: () => Overview): (c: Request) => Response {
  return (c) => {
    const { outgoing } = c.env;
    const subject = subjectOf(c, source);
    outgoing.setHeader('content-security-policy', CSP);
    const compressed = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
    outgoing.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
    });
    const sink = live.add(outgoing, subject, c.get('user').name, compressed);
    if (sink === undefined) {
      outgoing.end(compressed ? gzipSync(FULL) : FULL);
      return RESPONSE_ALREADY_SENT;
    }
    // Pages connect again by themselves: whoever may no longer sign in ends here.
    const end = setTimeout(() => outgoing.destroy(), STREAM_MS);
    outgoing.once('close', () => clearTimeout(end));
    sink.write(`event: overview\ndata: ${JSON.stringify(overview())}\n\n`);
    const since = Number(c.req.header('last-event-id'));
    // What was missed: the page reads it as history.
    if (since > 0) sink.write(`event: missed\ndata: ${JSON.stringify({ since })}\n\n`);
    return RESPONSE_ALREADY_SENT;
  };
}
