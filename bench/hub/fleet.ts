/** Simulated hosts: what honest agents of a busy fleet send. */
import { type Row, TABLES, type Window } from '../../src/metrics/catalogue.ts';
import { Histogram } from '../../src/metrics/histogram.ts';
import { encodeSample } from '../../src/metrics/wire.ts';

export const INTERVAL_SECONDS = 5;
const ROUTES = 20;
/** Requests of each route within an interval. */
const REQUESTS = 25;

export function hostName(i: number): string {
  return `host-${String(i).padStart(3, '0')}`;
}

/** Hosts of one application. */
export const HOSTS_OF_APP = 10;

export function appOf(i: number): string {
  return `app-${Math.floor(i / HOSTS_OF_APP)}`;
}

/**
 * A sample of a host: all of the system, a few disks, interfaces and units, and 20 routes with their
 * histograms.
 */
export function sampleWindow(i: number, at: number, random: () => number): Window {
  const gauge = (scale: number) => Number((random() * scale).toPrecision(5));
  const system = Object.fromEntries(
    Object.entries(TABLES.system.columns).map(([key, { kind }]) => [key, kind === 'latest' ? 4 : gauge(1)]),
  ) as unknown as Row<'system'>;
  return {
    host: hostName(i),
    at,
    seconds: INTERVAL_SECONDS,
    system: [system],
    disks: ['/', '/var'].map((mount) => ({
      mount,
      device: 'vda1',
      size: 8e10,
      used: gauge(8e10),
      inodes_used: gauge(1),
      read: gauge(1e6),
      written: gauge(1e6),
      reads: gauge(100),
      writes: gauge(100),
      busy: gauge(1),
    })),
    networks: ['eth0', 'eth1'].map((name) => ({
      interface: name,
      received: gauge(1e6),
      sent: gauge(1e6),
      packets_received: gauge(1e4),
      packets_sent: gauge(1e4),
      errors: 0,
      drops: 0,
    })),
    units: ['nginx', 'ssh', 'cron', `pipeline-${appOf(i)}@blue`].map((unit) => ({
      unit: `${unit}.service`,
      state: 'active',
      sub: 'running',
      restarts: 0,
      cpu: gauge(1),
      memory: gauge(1e8),
    })),
    routes: Array.from({ length: ROUTES }, (_, route) => routeRow(i, route, random)),
    checks: [],
    stores: [],
    certificates: [],
    agent: [
      {
        version: '0.1.0',
        memory: gauge(5e7),
        cpu: gauge(0.01),
        buffered: 0,
        dropped: 0,
        lines: ROUTES * REQUESTS,
        lines_unreadable: 0,
        log_skipped: 0,
      },
    ],
    problems: [],
    audit: [],
    rollouts: [],
    backups: [],
  };
}

/** Latencies with a tail, over the whole of a busy service's range. */
function routeRow(host: number, route: number, random: () => number): Row<'routes'> {
  const [latency, size] = [new Histogram(), new Histogram()];
  for (let n = 0; n < REQUESTS; n++) {
    latency.record(Math.round(5 * (1 + route / 10) * Math.exp(3 * random() ** 3)));
    size.record(400 + Math.floor(random() * 1000));
  }
  return {
    server: 'nginx',
    app: appOf(host),
    colour: 'blue',
    release: '20260101-05c965f',
    method: 'GET',
    route: `/api/thing-${route}/:id`,
    requests: REQUESTS,
    status_2xx: REQUESTS,
    status_3xx: 0,
    status_4xx: 0,
    status_5xx: 0,
    retries: 0,
    bytes: REQUESTS * 900,
    latency: latency.data(),
    size: size.data(),
  };
}

/** Requests that one sample reports. */
export const REQUESTS_OF_SAMPLE = ROUTES * REQUESTS;

/**
 * Fields of samples, made once: a generator that encodes 2,000 histograms a second would take the core that
 * it is to leave alone.
 * @returns the fields of a sample of a host, of one of `forms`
 */
export function sampleMaker(hosts: number, forms: number, random: () => number) {
  const made = Array.from({ length: forms }, (_, form) =>
    encodeSample({
      window: sampleWindow(form * HOSTS_OF_APP, 0, random),
      instance: 'x',
      sequence: 0,
      sentAt: 0,
    }),
  );
  return (i: number, sequence: number, at: number): Record<string, string> => {
    const fields = made[(i + sequence) % forms] ?? {};
    const { routes = '' } = fields;
    return {
      ...fields,
      // Every application has its own hosts.
      routes: routes.replaceAll(/"app-\d+"/g, `"${appOf(i % hosts)}"`),
      h: hostName(i),
      t: String(at),
      i: `bench-${i}`,
      q: String(sequence),
      n: String(at),
    };
  };
}
