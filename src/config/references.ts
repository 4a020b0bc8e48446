/** What one part of `pipeline.yml` says about another: pure. */
import { closest } from '../errors.ts';
import { checkBackups } from './backups.ts';
import { isCommand } from './command-schema.ts';
import { checkDatabases } from './databases.ts';
import type { PathMistake } from './explain.ts';
import { checkPersist } from './persist.ts';
import type { Path } from './positions.ts';
import { checkProcesses } from './processes.ts';
import type { AppConfig, CanaryFlow, ConfigValues } from './schema.ts';
import { machineNames } from './schema-values.ts';
import { namesIn } from './variables.ts';
import { checkWeb } from './web.ts';

/** Groups that every inventory has by itself. */
const RESERVED = ['all', 'ungrouped'];

/** What is certain about the hosts where some of them may be wrong in themselves. */
export interface KnownHosts {
  /** Names of all entries of `hosts:`, also of the wrong ones. */
  readonly names: ReadonlySet<string>;
  /** Whether the roles are as the user meant them. */
  readonly rolesKnown: boolean;
}

/** Mistakes that no single value shows. */
export function checkReferences(
  config: ConfigValues,
  { names: hosts, rolesKnown }: KnownHosts,
): PathMistake[] {
  return [
    ...checkHostNames(config),
    ...(config.monitor === undefined ? [] : knownHost(config.monitor.host, hosts, ['monitor', 'host'])),
    ...Object.keys(config.monitor?.status_page?.apps ?? {}).flatMap((name) => knownApp(name, config)),
    ...Object.entries(config.checks).flatMap(([name, { from = [] }]) =>
      from.flatMap((host, i) => knownHost(host, hosts, ['checks', name, 'from', i])),
    ),
    ...Object.entries(config.apps).flatMap(([name, app]) => checkApp(name, app, hosts, config.hosts)),
    ...(rolesKnown
      ? Object.entries(config.apps).flatMap(([name, app]) => checkRoles(config, name, app))
      : []),
    ...Object.entries(config.apps).flatMap(([name, app]) => checkPersist(name, app, config.hosts)),
    ...checkDatabases(config),
    ...checkBackups(config.backups),
    ...checkSites(config),
    ...checkAppNames(config),
  ];
}

function knownHost(name: string, hosts: ReadonlySet<string>, path: Path): PathMistake[] {
  if (hosts.has(name)) return [];
  const guess = closest(name, hosts);
  const known = hosts.size === 0 ? 'there are no hosts' : `hosts are ${[...hosts].join(', ')}`;
  return [
    { path, message: `unknown host "${name}", ${guess === undefined ? known : `did you mean "${guess}"?`}` },
  ];
}

function knownApp(name: string, { apps }: ConfigValues): PathMistake[] {
  if (Object.hasOwn(apps, name)) return [];
  const guess = closest(name, Object.keys(apps));
  const known = `applications are ${Object.keys(apps).join(', ') || 'none'}`;
  const path = ['monitor', 'status_page', 'apps', name];
  return [
    {
      path,
      message: `unknown application "${name}", ${guess === undefined ? known : `did you mean "${guess}"?`}`,
    },
  ];
}

/**
 * `web` with `count: 2` makes web-1 and web-2, `db_1` makes db-1: no two entries make a machine of one name.
 */
function checkHostNames({ hosts }: ConfigValues): PathMistake[] {
  const mistakes: PathMistake[] = RESERVED.filter((name) => name in hosts).map((name) => ({
    path: ['hosts', name],
    message: `"${name}" is a group that every inventory has: choose another name`,
  }));
  const owners = new Map<string, string>();
  for (const [name, { count }] of Object.entries(hosts)) {
    for (const made of machineNames(name, count)) {
      const first = owners.get(made) ?? name;
      owners.set(made, first);
      if (first === name) continue;
      const [entry, maker] = first === made ? [first, name] : [name, first];
      const many = hosts[maker]?.count ?? 1;
      mistakes.push({
        path: ['hosts', entry],
        message:
          `"${made}" is also the name of a host of ` +
          `${maker}${many > 1 ? `, which has count: ${many}` : ''}`,
      });
    }
  }
  return mistakes;
}

function checkApp(
  name: string,
  app: AppConfig,
  hosts: ReadonlySet<string>,
  entries: ConfigValues['hosts'],
): PathMistake[] {
  const at = (...rest: Path): Path => ['apps', name, ...rest];
  const mistakes: PathMistake[] = app.hosts.flatMap((host, i) =>
    app.hosts.indexOf(host) < i
      ? [{ path: at('hosts', i), message: `the host "${host}" stands twice` }]
      : knownHost(host, hosts, at('hosts', i)),
  );
  const belongsTo = (path: Path, value: unknown, owner: string, actual: string) => {
    if (value !== undefined && owner !== actual)
      mistakes.push({ path, message: `is for ${owner}, not for ${actual}` });
  };
  for (const [key, { host }] of Object.entries(app.databases)) {
    if (host !== undefined) mistakes.push(...knownHost(host, hosts, at('databases', key, 'host')));
  }
  for (const key of ['context', 'artifact', 'sessions'] as const) {
    if (app.runtime !== undefined) belongsTo(at(key), app[key], 'tomcat', app.runtime);
  }
  if (app.runtime === 'tomcat') belongsTo(at('fixed_port'), app.fixed_port, 'node', app.runtime);
  mistakes.push(...checkCommand(app, at));
  const { context = '/', health } = app;
  if (
    ![context, '/'].includes(health.path.split('?')[0] ?? '') &&
    !health.path.startsWith(`${context}/`.replace('//', '/'))
  ) {
    mistakes.push({
      path: at('health', 'path'),
      message: `"${health.path}" is outside of the context ${context}`,
    });
  }
  for (const key of Object.keys(app.secrets)) {
    if (!(key in app.env)) continue;
    mistakes.push({ path: at('secrets', key), message: `"${key}" stands in env too: one of them must go` });
  }
  for (const part of ['env', 'secrets'] as const) {
    if (!(app.port_variable in app[part]) || app.fixed_port !== undefined) continue;
    const message =
      'pipeline itself gives this variable: remove it, or say with fixed_port which port it always takes';
    mistakes.push({ path: at(part, app.port_variable), message });
  }
  const { tester } = app.rollout;
  if (tester !== undefined && !(tester in app.secrets)) {
    mistakes.push({ path: at('rollout', 'tester'), message: `"${tester}" is not in secrets:` });
  }
  return [
    ...mistakes,
    ...checkFront(app, hosts, entries, at('site')),
    ...checkWeb(app, at('site')),
    ...checkCanary(app, at),
    ...checkProcesses(app, entries, at),
  ];
}

/** What only some runtimes have a use for. */
function checkCommand(app: AppConfig, at: (...rest: Path) => Path): PathMistake[] {
  const { runtime } = app;
  if (runtime === undefined) return [];
  const unused: PathMistake[] = [];
  if (isCommand(runtime)) {
    if (app.node !== undefined) unused.push({ path: at('node'), message: `is for node, not for ${runtime}` });
    return unused;
  }
  if (app.build_on !== undefined) {
    unused.push({ path: at('build_on'), message: `is for command, not for ${runtime}` });
  }
  if (runtime === 'static' && app.packages.length > 0) {
    unused.push({ path: at('packages'), message: 'is for programs, not for static: nothing runs' });
  }
  return unused;
}

/** Balancer and certificate. */
function checkFront(
  { hosts, site }: AppConfig,
  known: ReadonlySet<string>,
  entries: ConfigValues['hosts'],
  at: Path,
): PathMistake[] {
  const { balancer, tls } = site;
  const mistakes: PathMistake[] =
    balancer === undefined ? [] : knownHost(balancer, known, [...at, 'balancer']);
  const say = (key: Path, message: string) => mistakes.push({ path: [...at, ...key], message });
  if (balancer !== undefined && hosts.includes(balancer)) {
    say(['balancer'], `"${balancer}" serves the application itself: give the balancer a host of its own`);
  }
  if (tls === undefined) return mistakes;
  if (tls.acme === undefined) {
    for (const key of ['certificate', 'key'] as const) {
      if (tls[key] === undefined) say(['tls', key], 'must be there, unless the certificate comes by acme');
    }
    return mistakes;
  }
  if (tls.certificate !== undefined || tls.key !== undefined) {
    say(['tls', 'acme'], 'stands beside certificate or key: one of them must go');
  }
  if (site.domains.length === 0) say(['domains'], 'must be there: a certificate by acme is for domains');
  if (site.port !== 80) say(['port'], 'must be 80: the authority asks there');
  const asked = balancer === undefined ? hosts : [balancer];
  if (asked.reduce((sum, host) => sum + (entries[host]?.count ?? 1), 0) > 1) {
    say(
      ['tls', 'acme'],
      'needs one host that the domains lead to: ' +
        `${balancer === undefined ? 'add site: balancer:' : `give ${balancer} count: 1`}`,
    );
  }
  return mistakes;
}

/** Steps that use what no earlier step gives, and expressions that are none. */
function checkFlow(flow: CanaryFlow, at: (...rest: Path) => Path): PathMistake[] {
  const known = new Set(['visitor']);
  return flow.steps.flatMap(({ path, headers, body = '', body_file, capture }, i) => {
    const mistakes: PathMistake[] = [];
    const used = { path: [path], headers: Object.values(headers), body: [body] };
    for (const [key, texts] of Object.entries(used)) {
      for (const name of texts.flatMap(namesIn)) {
        if (known.has(name)) continue;
        const message = `no earlier step captures \${${name}}; known are ${[...known].join(', ')}`;
        mistakes.push({ path: at('steps', i, key), message });
      }
    }
    if (body !== '' && body_file !== undefined) {
      const message = 'stands beside body: one of them must go';
      mistakes.push({ path: at('steps', i, 'body_file'), message });
    }
    for (const [name, { regex }] of Object.entries(capture)) {
      const problem = regex === undefined ? undefined : patternProblem(regex);
      if (problem !== undefined)
        mistakes.push({ path: at('steps', i, 'capture', name, 'regex'), message: problem });
      known.add(name);
    }
    return mistakes;
  });
}

function checkCanary({ canary }: AppConfig, at: (...rest: Path) => Path): PathMistake[] {
  const flows = (canary?.flows ?? []).flatMap((flow, i) =>
    checkFlow(flow, (...rest) => at('canary', 'flows', i, ...rest)),
  );
  const doubled = (canary?.requests ?? []).flatMap(({ body, body_file }, i) =>
    body === undefined || body_file === undefined
      ? []
      : [
          {
            path: at('canary', 'requests', i, 'body_file'),
            message: 'stands beside body: one of them must go',
          },
        ],
  );
  const patterns = (canary?.ignore_body ?? []).flatMap((pattern, i) => {
    const problem = patternProblem(pattern);
    return problem === undefined ? [] : [{ path: at('canary', 'ignore_body', i), message: problem }];
  });
  return [...doubled, ...flows, ...patterns];
}

/** What an application needs stands on a host only where one of its roles brings it. */
function checkRoles({ hosts }: ConfigValues, name: string, app: AppConfig): PathMistake[] {
  const needs = (
    host: string,
    role: ConfigValues['hosts'][string]['roles'][number],
    path: Path,
    why: string,
  ) => {
    const roles = hosts[host]?.roles;
    if (roles === undefined || roles.includes(role)) return [];
    return [
      { path, message: `the host "${host}" lacks the role ${role}, ${why}: add it to hosts.${host}.roles` },
    ];
  };
  return [
    ...app.hosts.flatMap((host) =>
      needs(host, 'nginx', ['apps', name, 'hosts'], 'which stands in front of applications'),
    ),
    ...(app.site.balancer === undefined
      ? []
      : needs(app.site.balancer, 'nginx', ['apps', name, 'site', 'balancer'], 'which balances')),
    ...(app.runtime === 'tomcat' ? app.hosts : []).flatMap((host) =>
      needs(host, 'tomcat', ['apps', name, 'runtime'], 'which runs the application'),
    ),
  ];
}

function patternProblem(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return `not a regular expression: ${(error as Error).message}`;
  }
}

/**
 * nginx tells sites of one port apart by name: two without a name, or with the same one, cannot both be
 * meant.
 */
function checkSites({ apps }: ConfigValues): PathMistake[] {
  const taken = new Map<string, string>();
  const mistakes: PathMistake[] = [];
  for (const [name, { hosts, site }] of Object.entries(apps)) {
    const clashes = new Set<string>();
    for (const host of new Set([...hosts, ...(site.balancer === undefined ? [] : [site.balancer])])) {
      for (const port of site.tls === undefined ? [site.port] : [site.port, 443]) {
        for (const domain of site.domains.length === 0
          ? ['']
          : site.domains.map((text) => text.toLowerCase())) {
          const key = `${host} ${port} ${domain}`;
          const other = taken.get(key);
          if (other === undefined) taken.set(key, name);
          else if (other !== name)
            clashes.add(
              `${other} listens on port ${port} of ${host} ` +
                `too${domain === '' ? ', and neither names a domain' : ` for ${domain}`}`,
            );
        }
      }
    }
    for (const clash of clashes)
      mistakes.push({
        path: ['apps', name, 'site'],
        message: `${clash}: give one of them another port or domain`,
      });
  }
  return mistakes;
}

/** Users and folders on the hosts are called after applications, in lower case. */
function checkAppNames({ apps }: ConfigValues): PathMistake[] {
  const names = Object.keys(apps);
  return names.flatMap((name, i) => {
    const same = names.slice(0, i).find((other) => other.toLowerCase() === name.toLowerCase());
    return same === undefined
      ? []
      : [{ path: ['apps', name], message: `differs from "${same}" only in upper and lower case` }];
  });
}
