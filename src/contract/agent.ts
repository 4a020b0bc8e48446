/**
 * `/etc/pipeline/agent.json`: what `pipeline monitor setup` tells the agent of a host. Written through
 * `AgentConfigInput`, read through `readAgentConfig`; 0600 and the agent's own, since it holds passwords.
 */
import {
  type Check,
  list,
  number,
  object,
  oneOf,
  optional,
  type Read,
  record,
  text,
  type Written,
  withDefault,
} from './shape.ts';

export const AGENT_CONFIG = '/etc/pipeline/agent.json';

/** MariaDB is `mysql`, FerretDB is `mongodb`. */
const STORE_KINDS = ['redis', 'mysql', 'mongodb'] as const;

const address = text({
  pattern: /^(\/.+|.+:\d{1,5})$/,
  what: 'host:port or the absolute path of a Unix socket',
});
const path = text({ pattern: /^\//, what: 'an absolute path' });
const endpoint = text({
  pattern: /^(\/.+|.+:\d{1,5})$/,
  what: 'host:port, NAME@host:port, or the absolute path of a PEM file',
});

/** Exactly one of an address to ask and a port to connect to. */
function oneTarget<T extends { readonly url?: unknown; readonly tcp?: unknown }, I>(
  check: Check<T, I>,
): Check<T, I> {
  return (value, path, report) => {
    const given = check(value, path, report);
    if ((given.url === undefined) === (given.tcp === undefined))
      report(`${path} must have either url or tcp`);
    return given;
  };
}

const agentConfig = object({
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
  /** Where lines of the units' journals are sent. */
  forward: withDefault(
    list(
      object({
        kind: oneOf('loki', 'victorialogs', 'syslog'),
        url: text({
          pattern: /^(https?|tcp|tls):\/\/[^\s]+$/,
          what: 'an address of http, https, tcp or tls',
        }),
        headers: withDefault(record(text()), {}),
      }),
    ),
    [],
  ),
  /** Routes that are known beforehand, e.g. `/api/study/load/:id`. */
  routes: withDefault(list(path), []),
  checks: withDefault(
    list(
      oneTarget(
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
          through: optional(text()),
          everySeconds: optional(number(1, 86_400)),
          timeoutSeconds: optional(number(0.1, 60)),
          once: optional(path),
        }),
      ),
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

export type AgentConfig = Read<typeof agentConfig>;

/** As it is written: what has a default may be left out. */
export type AgentConfigInput = Written<typeof agentConfig>;

/** Checks a document. @param report gets every mistake, never with a value: they hold passwords */
export function readAgentConfig(document: unknown, report: (problem: string) => void): AgentConfig {
  return agentConfig(document, '', report);
}
