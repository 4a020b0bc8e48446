/** The agent's configuration, `/etc/pipeline/agent.json` (0600, the agent's own: it holds passwords). */
import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../errors.ts';
import { STORE_KINDS } from './collectors/stores.ts';
import { list, number, object, oneOf, optional, record, text, withDefault } from './shape.ts';

export const CONFIG_PATH = '/etc/pipeline/agent.json';

const address = text({
  pattern: /^(\/.+|.+:\d{1,5})$/,
  what: 'host:port or the absolute path of a Unix socket',
});
const path = text({ pattern: /^\//, what: 'an absolute path' });
const endpoint = text({
  pattern: /^(\/.+|.+:\d{1,5})$/,
  what: 'host:port, NAME@host:port, or the absolute path of a PEM file',
});

const checkConfig = object({
  host: text({
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
    what: 'the name of this host in the inventory',
  }),
  /** Seconds from one sample to the next. */
  intervalSeconds: withDefault(number(0.5, 300), 5),
  /** Where the monitor's Redis is. */
  redis: object({
    host: text(),
    port: number(1, 65535),
    tls: optional(object({ ca: optional(text()), servername: optional(text()) })),
    user: optional(text()),
    password: optional(text()),
  }),
  /** Bytes of samples kept while Redis is away: 8 MiB hold about two hours of a busy host at 5 s. */
  bufferBytes: withDefault(number(64 * 1024, 256 * 1024 * 1024), 8 * 1024 * 1024),
  /** Samples that the inbox may hold while no hub empties it. */
  inboxLength: withDefault(number(100, 1e6), 20_000),
  /** systemd units to show, as globs. Failed units are always shown. */
  units: withDefault(list(text()), ['*.service']),
  /** Access logs of nginx (the proxy's JSON format) and Tomcat (`%h %l %u %t "%r" %s %b %T`). */
  logs: withDefault(
    list(
      object({
        server: oneOf('nginx', 'tomcat'),
        path,
        app: optional(text()),
        releaseLink: optional(path),
      }),
    ),
    [],
  ),
  /** Routes that are known beforehand, e.g. `/api/study/load/:id`. */
  routes: withDefault(list(path), []),
  checks: withDefault(
    list(
      object({
        name: text(),
        url: optional(text({ pattern: /^https?:\/\/[^\s]+$/, what: 'an http or https address' })),
        tcp: optional(address),
        method: optional(text({ pattern: /^[A-Z]+$/, what: 'a request method' })),
        body: optional(text()),
        headers: optional(record(text())),
        status: optional(list(number(100, 599))),
        below: optional(number(100, 600)),
        contains: optional(text()),
        follow: optional(oneOf('yes', 'no')),
        ca: optional(path),
        everySeconds: optional(number(1, 86_400)),
        timeoutSeconds: optional(number(0.1, 60)),
        once: optional(path),
      }),
    ),
    [],
  ),
  stores: withDefault(
    list(
      object({
        name: text(),
        kind: oneOf(...STORE_KINDS),
        address,
        once: optional(path),
        user: optional(text()),
        password: optional(text()),
      }),
    ),
    [],
  ),
  /** `host:port`, `NAME@host:port` where that is asked for the certificate of NAME, or paths of PEM files. */
  certificates: withDefault(list(endpoint), []),
});

export type AgentConfig = ReturnType<typeof checkConfig>;

/** Reads a configuration. @throws Failure kind `usage` with every mistake in it, never with a value of it */
export function parseConfig(json: string): AgentConfig {
  const problems: string[] = [];
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    // The error of JSON.parse quotes the text, which holds passwords.
    throw new Failure('usage', 'The configuration is no JSON.');
  }
  const config = checkConfig(document, '', (problem) => problems.push(problem));
  if (problems.length === 0) {
    for (const [i, { url, tcp }] of config.checks.entries()) {
      if ((url === undefined) === (tcp === undefined))
        problems.push(`checks[${i}] must have either url or tcp`);
    }
  }
  if (problems.length > 0)
    throw new Failure('usage', `The configuration has mistakes: ${problems.join('; ')}.`);
  return config;
}

/** Reads the configuration from a file. @throws Failure, also where others than the owner may read it */
export function readConfig(file: string): AgentConfig {
  const next = `Run "pipeline monitor setup", which writes ${file}.`;
  let json: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new Failure('usage', `${file} holds passwords and may be read by others.`, {
        next: `Run: chmod 600 ${file}`,
      });
    }
    json = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('usage', `${file} cannot be read: ${(cause as Error).message}.`, { next, cause });
  }
  try {
    return parseConfig(json);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Failure('usage', `${file}: ${thrown.message}`, { next });
  }
}
