/** `pipeline judge serve`: Kayenta's HTTP API over its judge, until Ctrl-C. */
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { serve } from '@hono/node-server';
import { kayentaApi } from '../../canary/kayenta-api/api.ts';
import { readConfigs } from '../../canary/kayenta-api/configs.ts';
import { Executions } from '../../canary/kayenta-api/executions.ts';
import { Failure } from '../../errors.ts';
import { counted } from '../../format.ts';
import { prometheusAt } from '../../metrics/prometheus.ts';
import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

/** Kayenta's own port. */
const PORT = 8090;

export const judgeServe: Handler<typeof definitions.judgeServe> = async (options, { context, output }) => {
  if (options.prometheus === undefined) {
    throw new Failure('usage', 'Nothing says where the values come from.', {
      next: 'Add --prometheus, e.g. --prometheus http://localhost:9090.',
    });
  }
  const prometheus = prometheusAt(options.prometheus, context);
  const configs = options.configs === undefined ? null : resolve(context.cwd, options.configs);
  const known = await readConfigs(configs);
  const { hostname, port } = addressOf(options.listen);
  const log = (line: string) => output.line(`${context.now().toISOString()} ${line}`);
  const folder = join(context.cwd, '.pipeline', 'judge');
  const executions = new Executions({ folder, prometheus, context, log });
  await executions.resume();
  const server = await listening(kayentaApi({ configs, executions }).fetch, hostname, port);
  const shown = hostname.includes(':') ? `[${hostname}]` : hostname;
  output.line(`Kayenta's API: http://${shown}:${port}, ${counted(known.length, 'configuration')}.`);
  if (!isLoopback(hostname))
    output.line(
      output.colors.yellow('Anybody who reaches this address can use it: it asks for no password.'),
    );
  try {
    return await new Promise<never>((_, reject) => {
      server.once('error', reject);
      const stop = () => reject(context.signal.reason);
      if (context.signal.aborted) stop();
      else context.signal.addEventListener('abort', stop, { once: true });
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
};

const isLoopback = (hostname: string) => hostname.startsWith('127.') || hostname === '::1';

/** `127.0.0.1:8090`, `[::1]:8090`, `:8090` (every address), or a port. */
function addressOf(text: string | undefined): { hostname: string; port: number } {
  if (text === undefined) return { hostname: '127.0.0.1', port: PORT };
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text);
  const host = match?.[1];
  const hostname = host === undefined ? '127.0.0.1' : host === '' ? '::' : host.replace(/^\[(.*)\]$/, '$1');
  const port = Number(match?.[2] ?? 0);
  if (match !== null && isIP(hostname) !== 0 && port >= 1 && port <= 65535) return { hostname, port };
  throw new Failure('usage', `--listen: "${text}" is not an address.`, {
    next: `Write it as 127.0.0.1:${PORT}, :${PORT} for every address, or ${PORT}.`,
  });
}

function listening(fetch: Parameters<typeof serve>[0]['fetch'], hostname: string, port: number) {
  return new Promise<Server>((done, reject) => {
    // Without a name Node listens on every address of the families that the machine has.
    const where = hostname === '::' ? { port } : { hostname, port };
    const server = serve({ fetch, ...where }, () => done(server)) as Server;
    server.once('error', (cause) =>
      reject(
        new Failure('usage', `Port ${port} of ${hostname} cannot be used: ${cause.message}.`, {
          cause,
          next: 'Give another address with --listen.',
        }),
      ),
    );
  });
}
