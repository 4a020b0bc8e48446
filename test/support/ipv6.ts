/** Hosts that have IPv6 alone: what IPv4 gave them is taken away, and packages come through a proxy. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect as dial } from 'node:net';
import { environmentLayout, localSettings } from '../../src/cloud/local/settings.ts';
import { quietContext } from '../../src/context.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import type { TestHosts } from './hosts.ts';

export interface Ipv6Network {
  /** The address of a host, without brackets. */
  address(name: string): string;
  /** This machine, as its hosts reach it. */
  readonly gateway: string;
  close(): void;
}

/** Takes IPv4 from the hosts. The proxy gives apt what the hosts' own network no longer reaches. */
export async function withoutIpv4(hosts: TestHosts): Promise<Ipv6Network> {
  const { bridge } = environmentLayout(localSettings(process.env), hosts.spec);
  const [, , third] = (hosts.machines[0]?.address ?? '').split('.');
  const of = (number: number | string) => `fd77:${third}::${number}`;
  const address = (name: string) => of(hosts.machine(name).address.split('.')[3] ?? '');
  const gateway = of(1);
  execFileSync('ip', ['address', 'add', `${gateway}/64`, 'dev', bridge, 'nodad']);
  const { port, close } = await startProxy(gateway);
  await Promise.all(
    hosts.machines.map(async (machine) => {
      const knownHostsFile = `${hosts.spec.directory}/known_hosts.${machine.name}`;
      await writeKnownHosts(knownHostsFile, [
        { address: machine.address, port: machine.port, keys: machine.hostKeys },
      ]);
      const connection = connect({ ...machine, knownHostsFile }, quietContext());
      const script = `ip address add ${address(machine.name)}/64 dev eth0 nodad
ip route add default via ${gateway}
echo 'Acquire::http::Proxy "http://[${gateway}]:${port}";' >/etc/apt/apt.conf.d/own-proxy
systemd-run --quiet --on-active=1 --timer-property=AccuracySec=100ms ip -4 address flush dev eth0`;
      await connection.check(script, { label: 'IPv6 alone' });
      await connection.close();
    }),
  );
  return { address, gateway, close };
}

/** Passes on what apt asks for, by name; it listens on this one address alone. */
async function startProxy(address: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((asked, answer) => {
    const { url = '', headers, method } = asked;
    const passed = request(url, { headers, method: method ?? 'GET' }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    passed.on('error', (error) => answer.writeHead(502).end(error.message));
    asked.pipe(passed);
  });
  server.on('connect', ({ url = '' }, socket) => {
    const { hostname, port } = new URL(`http://${url}`);
    const passed = dial(Number(port || 443), hostname, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      passed.pipe(socket).pipe(passed);
    });
    passed.on('error', () => socket.destroy());
    socket.on('error', () => passed.destroy());
  });
  await once(server.listen(0, address), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
