/** From pipeline.yml and the inventory to the configurations of hub and agents. Pure. */
import { FORM_NAMES, unknownNames } from '../alerts/webhook.ts';
import { isSmtpAddress, SMTP_FORM } from '../config/alerts-schema.ts';
import { healthPath } from '../config/health.ts';
import { SYSLOG_ADDRESS, SYSLOG_FORM } from '../config/logs-schema.ts';
import type { AlertsConfig, AppConfig, CheckConfig, Config, OwnRules } from '../config/schema.ts';
import type { AgentConfigInput } from '../contract/agent.ts';
import { appRoot } from '../contract/places.ts';
import { LOGS } from '../contract/proxy-paths.ts';
import { databasesOn } from '../database/index.ts';
import { Failure } from '../errors.ts';
import type { HubConfigInput } from '../hub/config.ts';
import {
  HUB_AUDIT_LOG,
  REDIS_NAME,
  REDIS_PORT,
  REDIS_SOCKET,
  TLS_CERTIFICATE,
  TLS_KEY,
} from '../roles/hub.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The roles of a host: those of its groups in pipeline.yml, and the engines of its databases. */
export function rolesOf(config: Config, groups: readonly string[]): ReadonlySet<string> {
  return new Set(
    groups.flatMap((group) => [...(config.hosts[group]?.roles ?? []), ...databasesOn(config, group).engines]),
  );
}

export interface AgentWanted {
  readonly host: string;
  readonly groups: readonly string[];
  readonly monitorAddress: string;
  readonly certificate: string;
  readonly password: string;
  /** Where logs are sent, as `logForwarding` gives it. */
  readonly forward?: AgentConfigInput['forward'];
}

/** Text of /etc/pipeline/agent.json. */
export function agentConfig(config: Config, wanted: AgentWanted): string {
  const { host, groups } = wanted;
  const roles = rolesOf(config, groups);
  const apps = Object.entries(config.apps).filter(([, app]) =>
    app.hosts.some((group) => groups.includes(group)),
  );
  const monitor = config.monitor?.host ?? 'monitor';
  const own = Object.entries(config.checks).filter(([, { from = [monitor] }]) =>
    from.some((group) => groups.includes(group)),
  );
  const behindNginx = roles.has('nginx') || apps.length > 0;
  const document: AgentConfigInput = {
    host,
    intervalSeconds: (config.monitor?.interval ?? 2000) / 1000,
    redis: {
      host: wanted.monitorAddress,
      port: REDIS_PORT,
      tls: { ca: wanted.certificate, servername: REDIS_NAME },
      user: `agent-${host}`,
      password: wanted.password,
    },
    ...((wanted.forward ?? []).length === 0 ? {} : { forward: wanted.forward }),
    units: unitsOf(
      roles,
      apps.map(([name]) => name),
    ),
    // Tomcat stands behind nginx, whose log has the releases: the same requests must not be counted twice.
    logs: behindNginx
      ? [{ server: 'nginx', path: `${LOGS}/*.json.log` }]
      : roles.has('tomcat')
        ? [{ server: 'tomcat', path: '/var/log/tomcat*/localhost_access_log.*' }]
        : [],
    checks: [
      ...apps.map(([name, app]) => healthCheck(name, app)),
      ...own.map(([name, check]) => ownCheck(name, check)),
    ],
    stores: storesOf(config, groups, roles),
    certificates: unique([
      ...certificatesAt(config, groups),
      ...own.flatMap(([, { url }]) => (url?.startsWith('https:') ? [endpointOf(url)] : [])),
    ]),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function storesOf(
  config: Config,
  groups: readonly string[],
  roles: ReadonlySet<string>,
): NonNullable<AgentConfigInput['stores']> {
  const address = '/run/mysqld/mysqld.sock';
  return [
    ...(roles.has('redis') ? [{ name: 'redis', kind: 'redis' as const, address: '127.0.0.1:6379' }] : []),
    ...(roles.has('mariadb')
      ? [{ name: 'mariadb', kind: 'mysql' as const, address, user: 'pipeline-agent' }]
      : []),
    ...groups.flatMap((group) =>
      // Whether they answer: what is in them is for their applications alone.
      databasesOn(config, group).mongodb.map(({ app, engine, name, port }) => ({
        name: `${engine} ${name}`,
        kind: 'mongodb' as const,
        address: `127.0.0.1:${port}`,
        // A deploy brings them.
        once: appRoot(app),
      })),
    ),
  ];
}

/** Certificates of sites that end TLS on these hosts. */
function certificatesAt(config: Config, groups: readonly string[]): readonly string[] {
  return Object.values(config.apps).flatMap(({ site, hosts }) => {
    const ends = site.balancer === undefined ? hosts : [site.balancer];
    return ends.some((group) => groups.includes(group)) ? certificatesOf(site) : [];
  });
}

function unitsOf(roles: ReadonlySet<string>, apps: readonly string[]): string[] {
  const of: Readonly<Record<string, readonly string[]>> = {
    nginx: ['nginx.service'],
    mariadb: ['mariadb.service'],
    mongodb: ['mongod.service'],
    ferretdb: ['ferretdb@*.service'],
    redis: ['redis-server.service'],
  };
  return [
    ...[...roles].flatMap((role) => of[role] ?? []),
    ...(roles.has('nginx') || apps.length === 0 ? [] : ['nginx.service']),
    ...apps.map((app) => `pipeline-${app}@*.service`),
    'pipeline-*.service',
    'ssh.service',
  ];
}

/** Whether the application's own hosts speak https: else it ends at their balancer. */
function endsTls(site: AppConfig['site']): boolean {
  return site.tls !== undefined && site.balancer === undefined;
}

type AgentCheck = NonNullable<AgentConfigInput['checks']>[number];

/** The health check of the application, from its own host, through nginx. */
function healthCheck(name: string, app: AppConfig): AgentCheck {
  const { health, site } = app;
  // Any name will do that a wildcard stands for.
  const domain = site.domains[0]?.replace(/^\*/, 'www');
  const { status } = health;
  const contains = health.contains === undefined ? {} : { contains: health.contains };
  const body = health.body === undefined ? {} : { body: health.body };
  // Where http only redirects, nginx answers by itself, also when the application is gone.
  const secure = endsTls(site) && site.tls?.redirect === true;
  return {
    name,
    ...(secure
      ? { url: `https://${domain ?? '127.0.0.1'}${healthPath(app)}`, through: '127.0.0.1' }
      : { url: `http://127.0.0.1:${site.port}${healthPath(app)}` }),
    ...(health.method === 'GET' ? {} : { method: health.method }),
    headers: { ...health.headers, ...(domain === undefined ? {} : { host: domain }) },
    ...body,
    // Healthy is here what is healthy to a deploy.
    ...(status === undefined ? { below: 500 } : { status: [status].flat() }),
    timeoutSeconds: health.timeout / 1000,
    // Before the first deploy nothing is there that could be well.
    once: appRoot(name),
    ...contains,
  };
}

/** A check of `checks:`. */
function ownCheck(name: string, check: CheckConfig): AgentCheck {
  const { status, every, timeout, method, follow, from: _from, ...rest } = check;
  const statuses = status === undefined ? [] : [status].flat();
  const redirects = statuses.some((code) => code >= 300 && code < 400);
  return {
    name,
    ...rest,
    ...(method === 'GET' ? {} : { method }),
    ...(status === undefined ? {} : { status: statuses }),
    ...(rest.url === undefined ? {} : { follow: (follow ?? !redirects) ? 'yes' : 'no' }),
    everySeconds: every / 1000,
    timeoutSeconds: timeout / 1000,
  };
}

/** nginx shows another certificate for each name. */
function certificatesOf({ tls, domains }: AppConfig['site']): readonly string[] {
  if (tls === undefined) return [];
  return domains.length === 0 ? ['127.0.0.1:443'] : domains.map((domain) => `${domain}@127.0.0.1:443`);
}

function endpointOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 443}`;
}

function unique<T>(all: readonly T[]): T[] {
  return [...new Set(all)];
}

/**
 * Places of `alerts:` with their addresses. @throws Failure `usage` where a variable that an address comes
 * from is not set
 */
export function alertPlaces({ notify, heartbeat }: AlertsConfig, env: Env) {
  return {
    targets: notify.map((target) => {
      if ('webhook' in target) return webhookPlace(target, env);
      if ('slack' in target) return { slack: filledIn(target.slack, env, 'alerts:') };
      const smtp = filledIn(target.email.smtp, env, 'alerts:');
      if (!isSmtpAddress(smtp))
        throw new Failure(
          'usage',
          `The address of the mail server in alerts: has another form: ${SMTP_FORM}.`,
          {
            next: 'Set the variable to such an address and run pipeline monitor setup again.',
          },
        );
      return { email: { ...target.email, smtp } };
    }),
    ...(heartbeat === undefined
      ? {}
      : { heartbeat: { url: filledIn(heartbeat.url, env, 'alerts:'), everyMs: heartbeat.every } }),
  };
}

type Webhook = Extract<AlertsConfig['notify'][number], { webhook: unknown }>;

/** Variables of the environment (`${NAME}`) are filled in here; what is told (`${text}`) is the hub's. */
function webhookPlace({ webhook, headers, body }: Webhook, env: Env) {
  const unknown = unknownNames({ headers, body });
  if (unknown.length > 0) {
    throw new Failure('usage', `alerts: a webhook has \${${unknown[0]}}, which stands for nothing`, {
      next: `Known are ${FORM_NAMES.join(', ')}, and variables of the environment in capitals.`,
    });
  }
  const fill = <T>(form: T): T =>
    JSON.parse(JSON.stringify(form), (_key, value: unknown) =>
      typeof value === 'string'
        ? value.replaceAll(/\$\{([A-Z_][A-Z0-9_]*)\}/g, (_whole, name: string) =>
            filledIn({ env: name }, env, 'alerts:'),
          )
        : value,
    ) as T;
  return {
    webhook: filledIn(webhook, env, 'alerts:'),
    ...(headers === undefined ? {} : { headers: fill(headers) }),
    ...(body === undefined ? {} : { body: fill(body) }),
  };
}

/** Where logs are sent. @throws Failure `usage` as `alertPlaces`, or for an address of another form */
export function logForwarding({ logs }: Pick<Config, 'logs'>, env: Env): AgentConfigInput['forward'] {
  return logs.forward.map((wanted) => {
    if ('syslog' in wanted) {
      const url = filledIn(wanted.syslog, env, 'logs:');
      if (SYSLOG_ADDRESS.test(url)) return { kind: 'syslog', url };
      const message = `The address of the server of syslog in logs: has another form: ${SYSLOG_FORM}.`;
      throw new Failure('usage', message, {
        next: 'Set the variable to such an address and run pipeline monitor setup again.',
      });
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(wanted.headers)) headers[name] = filledIn(value, env, 'logs:');
    return 'loki' in wanted
      ? { kind: 'loki', url: filledIn(wanted.loki, env, 'logs:'), headers }
      : { kind: 'victorialogs', url: filledIn(wanted.victorialogs, env, 'logs:'), headers };
  });
}

/** Where samples are forwarded to. @throws Failure `usage` as `alertPlaces` */
export function forwarding({ monitor }: Pick<Config, 'monitor'>, env: Env) {
  const wanted = monitor?.remote_write;
  if (wanted === undefined) return {};
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(wanted.headers))
    headers[name] = filledIn(value, env, 'monitor:');
  return { remoteWrite: { url: filledIn(wanted.url, env, 'monitor:'), headers } };
}

/** The page for everybody, with its address filled in. @throws Failure `usage` as `alertPlaces` */
export function publicPage({ monitor, apps }: Pick<Config, 'monitor' | 'apps'>, env: Env) {
  const wanted = monitor?.status_page;
  if (wanted === undefined) return {};
  const { title, apps: shown, folder, push } = wanted;
  const names = shown ?? Object.fromEntries(Object.keys(apps).map((name) => [name, name]));
  const put = push === undefined ? {} : { push: filledIn(push, env, 'monitor:') };
  const kept = folder === undefined ? {} : { folder };
  return { statusPage: { title, apps: names, ...kept, ...put } };
}

export interface HubWanted {
  readonly hosts: readonly string[];
  readonly password: string;
  /** Where people find it. */
  readonly dashboard: string;
  readonly places: ReturnType<typeof alertPlaces> &
    ReturnType<typeof forwarding> &
    ReturnType<typeof publicPage>;
}

/** Text of /etc/pipeline/hub.json. */
export function hubConfigText(config: Config, { hosts, password, dashboard, places }: HubWanted): string {
  const tls = config.monitor?.tls !== undefined;
  const proxies = config.monitor?.trusted_proxies ?? [];
  const { quiet, repeat, rules, own, silence_after_deploy: after } = config.alerts;
  const document: HubConfigInput = {
    hosts: [...hosts].sort(),
    intervalSeconds: (config.monitor?.interval ?? 2000) / 1000,
    redis: { socket: REDIS_SOCKET, user: 'hub', password },
    listen: {
      port: 80,
      ...(proxies.length > 0 ? { trustedProxies: proxies } : {}),
      ...(tls ? { tls: { port: 443, certificate: TLS_CERTIFICATE, key: TLS_KEY } } : {}),
    },
    dashboard,
    auditLog: HUB_AUDIT_LOG,
    rules: rulesText(rules),
    ...(Object.keys(own).length === 0 ? {} : { own: ownText(own) }),
    ...(quiet === undefined ? {} : { quiet }),
    ...(repeat === undefined ? {} : { repeat: `${repeat}ms` }),
    ...(after === undefined ? {} : { silenceAfterDeploy: `${after}ms` }),
    ...places,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Durations as pipeline.yml has them: the hub reads the rules with the same schema. */
function rulesText(rules: AlertsConfig['rules']) {
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      name,
      typeof rule === 'string' ? rule : { ...rule, for: `${rule.for}ms` },
    ]),
  );
}

/** Rules of one's own as they were written. */
export function ownText(own: OwnRules) {
  return Object.fromEntries(
    Object.entries(own).map(([name, { text, severity }]) => [name, { when: text, severity }]),
  );
}

/** @param part of pipeline.yml that names the variable */
function filledIn(given: string | { readonly env: string }, env: Env, part: string): string {
  if (typeof given === 'string') return given;
  const value = env[given.env];
  if (value !== undefined && value !== '') return value;
  throw new Failure('usage', `The environment variable ${given.env}, which ${part} names, is not set.`, {
    next: `Set it and run pipeline monitor setup again.`,
  });
}
