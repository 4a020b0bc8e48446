/** `logs:`: where lines of logs are sent besides the hosts' own journals. */
import { z } from 'zod';
import { address, variable } from './schema-values.ts';

const headers = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header'),
    z.union([
      z.string(),
      z.strictObject({ env: variable().describe('Name of the environment variable that holds the value.') }),
    ]),
  )
  .default({})
  .describe('Sent with each request, e.g. Authorization; from the environment where it is a secret.');

export const SYSLOG_ADDRESS = /^(tcp|tls):\/\/[^\s/]+:\d{1,5}$/;
/** What `SYSLOG_ADDRESS` takes, in words. */
export const SYSLOG_FORM = 'tcp://HOST:PORT or tls://HOST:PORT';

const forwardSchema = z.union([
  z.strictObject({
    loki: address.describe('Address of Loki, e.g. https://loki.example; lines go to its push API.'),
    headers,
  }),
  z.strictObject({
    victorialogs: address.describe('Address of VictoriaLogs, e.g. http://logs.example:9428.'),
    headers,
  }),
  z.strictObject({
    syslog: z
      .union([
        z.string().regex(SYSLOG_ADDRESS, `expected ${SYSLOG_FORM}`),
        z.strictObject({
          env: variable().describe('Name of the environment variable that holds the address.'),
        }),
      ])
      .describe('A server of syslog (RFC 5424) over TCP or TLS, e.g. tls://logs.example:6514.'),
  }),
]);

export const logsSchema = z.strictObject({
  forward: z
    .array(forwardSchema)
    .default([])
    .describe('Send what the watched units log to stores of yours. The agents do it. Default: nowhere.'),
});
