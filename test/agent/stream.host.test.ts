import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseLiveLine, type UnitLine } from '../../src/metrics/live.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';
import { bundleAgent, follow, installAgent, onHost, until } from './support.ts';

const reason = hostsUnavailable();
if (reason !== undefined) process.stderr.write(`test/agent/stream.host.test.ts skipped: ${reason}\n`);

/**
 * Uses a tenth of a second of processor time each second, prints an error line each second, and dies when
 * told to.
 */
const SERVICE = `[Service]
ExecStart=/opt/node -e "setInterval(() => { const used = () => process.cpuUsage().user; \\
  const end = used() + 1e5; while (used() < end); \\
  console.error('TypeError: x is no function'); console.log('fine') }, 1000)"
Restart=always
RestartSec=200ms
`;

describe.skipIf(reason !== undefined)('agent.js stream on a host', () => {
  let hosts: TestHosts;
  let agent: { path: string; remove: () => void };

  beforeAll(async () => {
    hosts = await startHosts({ names: ['watched'] });
    agent = await bundleAgent();
    const machine = hosts.machine('watched');
    installAgent(machine, agent.path);
    onHost(
      machine,
      `cat > /etc/systemd/system/demo.service <<'END'\n${SERVICE}END\nsystemctl daemon-reload ` +
        '&& systemctl start demo',
    );
  });
  afterAll(async () => {
    agent?.remove();
    await hosts?.stop();
  });

  it('says what a unit uses, its error lines and its restarts, and ends with the connection', async () => {
    const machine = hosts.machine('watched');
    const stream = follow(machine, '/opt/node /opt/agent.js stream --unit demo.service');
    try {
      const units = () =>
        stream.lines.map(parseLiveLine).filter((line): line is UnitLine => line?.kind === 'unit');
      const steady = await until('four lines', () => (units().length >= 4 ? units() : undefined));
      const line = steady[3];
      expect(line).toMatchObject({ unit: 'demo.service', state: 'active', sub: 'running', restarts: 0 });
      const cpuSeconds = steady.slice(1, 4).reduce((sum, each) => sum + (each.cpuSeconds ?? 0), 0);
      expect(cpuSeconds).toBeGreaterThan(0.2);
      // One thread cannot use more than the time that passed, however busy the machine is.
      const passed = steady.slice(1, 4).reduce((sum, each) => sum + each.seconds, 0);
      expect(cpuSeconds).toBeLessThan(passed);
      const first = steady[0]?.seconds ?? Number.NaN;
      expect(first).toBeLessThan(0.5);
      expect(line?.memoryBytes).toBeGreaterThan(5e6);
      expect(line?.memoryBytes).toBeLessThan(2e8);
      const counted = (what: 'errorLines' | 'logLines') => units().reduce((sum, each) => sum + each[what], 0);
      await until('three error lines', () => (counted('errorLines') >= 3 ? true : undefined));
      expect(Math.abs(counted('logLines') - 2 * counted('errorLines'))).toBeLessThanOrEqual(1);

      onHost(machine, 'systemctl kill -s KILL demo');
      await until('a restart', () => units().find((each) => each.restarts === 1));
      onHost(machine, 'systemctl stop demo');
      const stopped = await until('the stop', () => units().find((each) => each.state === 'inactive'));
      expect(stopped.memoryBytes).toBeNull();
    } finally {
      stream.stop();
    }
    await until('the end of the agent', () =>
      onHost(machine, 'pgrep -f "[a]gent.js stream" || true').trim() === '' ? true : undefined,
    );
  });

  it('calls a unit that does not exist absent', async () => {
    const stream = follow(hosts.machine('watched'), '/opt/node /opt/agent.js stream --unit nosuch.service');
    try {
      const line = await until('a line', () => stream.lines.map(parseLiveLine)[0]);
      expect(line).toMatchObject({ state: 'absent', cpuSeconds: null, memoryBytes: null });
    } finally {
      stream.stop();
    }
  });
});
