/** Asking another host's site. */
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { Host } from '../host.ts';

const ANSWER_MS = 5000;
/** Longer ones are no answer to us. */
const MOST_BYTES = 4096;

export const web: Pick<Host, 'ask'> = {
  ask: ({ address, port, tls, name }, path) =>
    new Promise((resolve) => {
      const headers = name === null ? {} : { host: name };
      const common = { host: address, port, path, headers, signal: AbortSignal.timeout(ANSWER_MS) };
      const asked = tls
        ? secure({ ...common, rejectUnauthorized: false, ...(name === null ? {} : { servername: name }) })
        : plain(common);
      asked.on('error', () => resolve(undefined));
      asked.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
          if (text.length > MOST_BYTES) asked.destroy();
        });
        answer.on('error', () => resolve(undefined));
        answer.on('close', () => resolve(undefined));
        answer.on('end', () => resolve(answer.statusCode === 200 ? text : undefined));
      });
      asked.end();
    }),
};
