/**
 * A fleet as it could be: what each host measures at a time, the same for the same time. Days and nights,
 * deploys, an incident, a host that fails. Pure.
 */
import { emptyTables, type Row, type Window } from '../../../src/metrics/catalogue.ts';
import { Histogram } from '../../../src/metrics/histogram.ts';

export interface Release {
  readonly name: string;
  readonly commit: string;
  /** When it went live, ms. */
  readonly at: number;
  readonly by: string;
  /** How much slower than the usual, and the share of its answers 5xx. */
  readonly slowness: number;
  readonly failing: number;
}

export interface SampleApp {
  readonly name: string;
  readonly hosts: readonly string[];
  /** Requests a second by day. */
  readonly rate: number;
  readonly routes: readonly (readonly [
    method: string,
    route: string,
    share: number,
    ms: number,
    bytes: number,
  ])[];
  /** Oldest first. */
  readonly releases: readonly Release[];
}

export interface SampleFleet {
  readonly hosts: readonly string[];
  readonly apps: readonly SampleApp[];
  /** A host whose unit failed and whose check fails. */
  readonly failing: string;
  /** A host that is heard no longer. */
  readonly silent?: string | undefined;
}

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

/** Between 0 and 1, the same for the same words. */
export function noise(...words: readonly (string | number)[]): number {
  let hash = 2_166_136_261;
  for (const character of words.join(' ')) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}

/** Smooth noise: between 0 and 1, with a wave of about `period` ms. */
function wave(seed: string, at: number, period: number): number {
  const step = Math.floor(at / period);
  const part = at / period - step;
  const ease = part * part * (3 - 2 * part);
  return noise(seed, step) * (1 - ease) + noise(seed, step + 1) * ease;
}

/** How busy people are: low at four in the morning, high in the afternoon, less at weekends. */
function daylight(at: number): number {
  const hour = (at / HOUR) % 24;
  const weekend = [0, 6].includes(new Date(at).getUTCDay()) ? 0.55 : 1;
  return weekend * (0.18 + 0.82 * Math.max(0, Math.sin(((hour - 5) / 24) * 2 * Math.PI) * 0.6 + 0.4));
}

const ROUTES: SampleApp['routes'] = [
  ['GET', '/', 0.34, 4, 14_200],
  ['GET', '/api/study/load/:id', 0.21, 18, 5600],
  ['POST', '/api/study/vote/submit/', 0.14, 31, 240],
  ['POST', '/api/design/survey', 0.11, 44, 8900],
  ['GET', '/api/study/listing', 0.1, 62, 31_000],
  ['GET', '/studies.html', 0.06, 3, 9100],
  ['POST', '/api/study/create', 0.03, 95, 410],
  ['GET', '/<script>document.title="run"</script>', 0.01, 2, 150],
];

/** @param now the fleet is told as of this time, ms */
export function sampleFleet(hostCount: number, appCount: number, now: number): SampleFleet {
  const names = ['monitor', 'checkbox', 'itrust', 'proxy', 'blue', 'green'];
  const hosts = Array.from(
    { length: hostCount },
    (_, i) => names[i] ?? `web-${String(i - 5).padStart(2, '0')}`,
  );
  const appNames = ['checkbox.io', 'itrust', 'preview'];
  const commits = ['3f0c1a7', '82e5d18', 'bfbf426', '05c965f', '0fb8c1c'];
  const apps = Array.from({ length: appCount }, (_, i): SampleApp => {
    const name = appNames[i] ?? `service-${String(i - 2).padStart(2, '0')}`;
    const serving = hosts.slice(1);
    const from = serving.length === 0 ? hosts : serving;
    const count = i === 0 ? Math.min(2, from.length) : 1;
    const ages = [30 * DAY, 6 * DAY, 22 * HOUR, 3 * HOUR, (i === 0 ? 22 : 50 + i * 7) * MINUTE];
    return {
      name,
      hosts: Array.from({ length: count }, (_, n) => from[(i + n) % from.length] ?? ''),
      rate: i === 0 ? 38 : 3 + 14 * noise(name, 'rate'),
      routes: ROUTES,
      releases: ages.map((age, n) => {
        const worse = n === 4 && i === 0;
        return {
          name: `20261${100 + n * 7}-${commits[n]}`,
          commit: commits[n] ?? '',
          at: now - age,
          by: n % 2 === 0 ? 'ann' : 'chris',
          slowness: worse ? 1.45 : 1 + 0.06 * n,
          failing: worse ? 0.028 : 0.0006,
        };
      }),
    };
  });
  return {
    hosts,
    apps,
    failing: hosts[2] ?? '',
    silent: hostCount > 3 ? hosts[hostCount - 2] : undefined,
  };
}

/** Begin and length of the incident, ms before the time of the fleet. */
const INCIDENT = { ago: 95 * MINUTE, long: 12 * MINUTE };

/** What a host measures in the `seconds` before `at`. */
export function sampleWindow(
  fleet: SampleFleet,
  host: string,
  at: number,
  seconds: number,
  now: number,
): Window {
  const incident =
    host === fleet.hosts[1] && at > now - INCIDENT.ago && at < now - INCIDENT.ago + INCIDENT.long;
  const busy = daylight(at) * (0.6 + 0.8 * wave(`${host} busy`, at, 20 * MINUTE));
  const user = Math.min(0.8, 0.05 + 0.3 * busy + 0.05 * noise(host, at) + (incident ? 0.25 : 0));
  const io = incident ? 0.18 : 0.012 * wave(`${host} io`, at, 3 * MINUTE);
  const memory = 4e9 * (noise(host, 'size') > 0.5 ? 2 : 1);
  const used = memory * Math.min(0.96, 0.34 + 0.2 * noise(host, 'used') + 0.12 * busy + (incident ? 0.2 : 0));
  const failing = host === fleet.failing;
  const size = 8e10;
  const grown = Math.min(0.97, (failing ? 0.86 : 0.35) + 0.04 * ((at % (9 * DAY)) / (9 * DAY)));
  const traffic = 8e4 * (1 + 14 * busy);
  return {
    host,
    at,
    seconds,
    ...emptyTables(),
    system: [
      {
        cpu: Math.min(1, user * 1.3),
        cpu_user: user,
        cpu_system: user * 0.28,
        cpu_iowait: io,
        cpu_steal: 0.006 * wave(`${host} steal`, at, 7 * MINUTE),
        cores: 2,
        load1: user * 3 + (incident ? 2 : 0),
        load5: user * 2.8,
        load15: user * 2.6,
        processes_running: 1,
        processes_blocked: 0,
        memory_total: memory,
        memory_used: used,
        memory_cached: memory * 0.22,
        swap_total: 1e9,
        swap_used: incident ? 4e8 : 3e7,
        swap_in: 0,
        swap_out: 0,
        pressure_cpu: user * 0.3,
        pressure_memory: incident ? 0.09 : 0.001,
        pressure_memory_full: 0,
        pressure_io: io * 1.4,
        pressure_io_full: io,
        uptime: 41 * 86_400,
        units_failed: failing ? 1 : 0,
      },
    ],
    disks: [
      {
        mount: '/',
        device: 'vda1',
        size,
        used: size * grown,
        inodes_used: 0.12,
        read: 2e5 * busy * (incident ? 60 : 1),
        written: 6e5 * busy * (0.5 + noise(host, at, 'w')),
        reads: 4,
        writes: 22,
        busy: Math.min(1, 0.02 + io * 4),
      },
    ],
    networks: [
      {
        interface: 'eth0',
        received: traffic * (0.8 + 0.4 * noise(host, at, 'r')),
        sent: traffic * 2.3 * (0.8 + 0.4 * noise(host, at, 's')),
        packets_received: 300,
        packets_sent: 420,
        errors: 0,
        drops: 0,
      },
    ],
    ...(seconds < 60 && Math.floor(at / 1000) % 10 >= seconds ? {} : slowTables(fleet, host, at)),
    routes: fleet.apps.flatMap((app) =>
      app.hosts.includes(host) ? routesOf(app, host, at, seconds, incident) : [],
    ),
  };
}

/** What agents measure every now and then. */
function slowTables(fleet: SampleFleet, host: string, at: number): Partial<Window> {
  const failing = host === fleet.failing;
  const unit = (name: string, memory: number, state = 'active', restarts = 0): Row<'units'> => ({
    unit: name,
    state,
    sub: state === 'failed' ? 'failed' : 'running',
    restarts,
    cpu: state === 'failed' ? 0 : 0.02 + 0.1 * noise(host, name),
    memory,
  });
  return {
    units: [
      unit('nginx.service', 1.9e7),
      unit('ssh.service', 7e6),
      unit('pipeline-agent.service', 4.6e7),
      ...(host === 'monitor'
        ? [unit('pipeline-hub.service', 1.2e8), unit('pipeline-redis.service', 6e7)]
        : []),
      ...fleet.apps
        .filter(({ hosts }) => hosts.includes(host))
        .slice(0, 6)
        .map(({ name }) =>
          unit(`${name}@blue.service`, 1.1e8, 'active', Math.floor(at / 10_000) % 2000 === 0 ? 1 : 0),
        ),
      failing ? unit('backup.service', 0, 'failed') : unit('cron.service', 3e6),
    ],
    checks: [
      {
        check: 'front page',
        target: `http://${host}/`,
        up: failing ? 0 : 1,
        duration: 12 + 6 * noise(host, at, 'check'),
        error: failing ? 'answered 502 instead of 200' : '',
      },
    ],
    stores: [
      {
        store: failing ? 'mariadb' : 'mongodb',
        kind: failing ? 'mysql' : 'mongodb',
        up: 1,
        duration: 2,
        connections: 14,
        size: 2.4e9,
        error: '',
      },
    ],
    certificates: [
      {
        endpoint: `${host}:443`,
        expires: Math.round(at / 1000) + 86_400 * (failing ? 9 : 63),
        subject: host,
        error: '',
      },
    ],
    backups: backupsOf(fleet, host, at),
    agent: [
      {
        version: '0.1.0',
        memory: 4.6e7,
        cpu: 0.002,
        buffered: 0,
        dropped: 0,
        lines: 40,
        lines_unreadable: 0,
        log_skipped: 0,
      },
    ],
  };
}

/** On the failing host one is late, and one does not come back. */
function backupsOf(fleet: SampleFleet, host: string, at: number): Row<'backups'>[] {
  const failing = host === fleet.failing;
  const hours = (count: number) => Math.round(at / 1000 - count * 3600);
  const row = (item: string, bytes: number, more: Partial<Row<'backups'>> = {}): Row<'backups'> => ({
    ...{ item, bytes, at: hours(5), since: hours(900), every: 86_400, error: '' },
    ...{ verified: hours(9 * 24), verify_error: '', ...more },
  });
  const full = 'the storage of backups, sftp:backup@203.0.113.9:/srv/backups, has no room';
  const other = { verified: null, verify_error: 'other bytes came back than were backed up' };
  const kept = fleet.apps
    .filter(({ hosts }) => hosts.includes(host))
    .slice(0, 2)
    .flatMap(({ name }) => [
      row(`${name}/main`, 2.4e9, failing ? { at: hours(53), error: full } : {}),
      row(`${name}/files`, 3.1e8, failing ? other : {}),
    ]);
  return [...kept, row('host', 4_100)];
}

/**
 * How many requests and how many ms of each route are drawn from a handful of values, which is enough for a
 * quantile.
 */
function routesOf(
  app: SampleApp,
  host: string,
  at: number,
  seconds: number,
  incident: boolean,
): Row<'routes'>[] {
  const release = app.releases.findLast((one) => one.at <= at) ?? app.releases[0];
  if (release === undefined) return [];
  const rate =
    (app.rate / app.hosts.length) * daylight(at) * (0.75 + 0.5 * wave(`${app.name} rate`, at, 8 * MINUTE));
  return app.routes.flatMap(([method, route, share, ms, bytes]): Row<'routes'>[] => {
    const expected = rate * share * seconds;
    const requests = Math.floor(expected + noise(app.name, host, route, at));
    if (requests === 0) return [];
    const failing =
      (incident ? 0.16 : 0) + (method === 'POST' ? release.failing * 2.5 : release.failing * 0.3);
    const failed = Math.min(requests, Math.floor(requests * failing + noise(route, at, 'failed')));
    const rejected = Math.min(requests - failed, Math.floor(requests * 0.012 + noise(route, at, 'rejected')));
    const [latency, size] = [new Histogram(), new Histogram()];
    const answered = requests - failed;
    const draws = Math.min(answered, 12);
    for (let i = 0; i < draws; i++) {
      const spread = Math.exp((noise(route, host, at, i) + noise(route, at, i, 'b') - 1) * 1.5);
      const tail = noise(route, at, i, 'tail') > 0.985 ? 6 : 1;
      latency.record(ms * release.slowness * spread * tail * (incident ? 4 : 1), Math.ceil(answered / draws));
      size.record(bytes * (0.7 + 0.6 * noise(route, i, at, 'size')), Math.ceil(answered / draws));
    }
    return [
      {
        server: 'nginx',
        app: app.name,
        colour: 'blue',
        release: release.name,
        method,
        route,
        requests,
        status_2xx: answered - rejected,
        status_3xx: 0,
        status_4xx: rejected,
        status_5xx: failed,
        retries: 0,
        bytes: requests * bytes,
        latency: latency.data(),
        size: size.data(),
      },
    ];
  });
}
