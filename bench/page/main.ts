/**
 * The dashboard with sample data. Without arguments: how large it is, and how soon it can be used, in
 * Debian's chromium on loopback.
 *
 *   npm run bench -- page [--hosts 50] [--apps 20] [--days 2]
 *   npm run bench -- page --serve [--hosts 3] [--apps 2] [--port 8080]     serves it until Ctrl-C
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { redisUnavailable } from '../../test/agent/redis-server.ts';
import { serveSample } from '../../test/hub/sample/serve.ts';
import { browserUnavailable } from '../../test/support/browser.ts';
import { measure } from './measure.ts';

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    hosts: { type: 'string' },
    apps: { type: 'string' },
    port: { type: 'string' },
    days: { type: 'string', default: '2' },
  },
});
const missing = redisUnavailable() ?? (values.serve ? undefined : browserUnavailable());
if (missing !== undefined) {
  console.error(missing);
  process.exit(2);
}
// bench/run.mjs would end the process at once, and leave Redis behind.
for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
const hosts = Number(values.hosts ?? (values.serve ? 3 : 50));
const sample = await serveSample({
  hosts,
  apps: Number(values.apps ?? (values.serve ? 2 : 20)),
  hours: { raw: hosts > 10 ? 0.3 : 4, minute: hosts > 10 ? 6 : 24, 'ten-minutes': 24 * Number(values.days) },
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
  log: (line) => console.error(line),
});
try {
  if (values.serve) {
    console.log(`${sample.address}/dashboard   user admin, password ${sample.password}   (Ctrl-C ends it)`);
    await stopped;
  } else await Promise.race([measure(sample), stopped]);
} finally {
  await sample.stop();
}
