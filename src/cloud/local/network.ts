/**
 * The network of an environment on this machine: a bridge, forwarding, and an nftables table that translates
 * addresses on the way out.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { admitBridge, expelBridge, isAdmitted } from './firewalls.ts';
import { type EnvironmentRecord, listEnvironments } from './records.ts';
import { mustRun, outputOf, run } from './run.ts';
import type { EnvironmentLayout, LocalSettings } from './settings.ts';
import { addressIn, chooseSubnet, conflictWith, type Occupied, parseNetwork, parseRoutes } from './subnet.ts';

/** Whether everything of the network is in place. Starts two programs, and only where the bridge exists. */
export async function networkReady(
  context: Context,
  layout: EnvironmentLayout,
  subnet: string,
): Promise<boolean> {
  const [routes, forwarding, devices] = await Promise.all([
    readFile('/proc/net/route', 'utf8'),
    readFile('/proc/sys/net/ipv4/ip_forward', 'utf8'),
    readdir('/sys/class/net'),
  ]);
  if (!devices.includes(layout.bridge) || forwarding.trim() !== '1') return false;
  const own = routes.split('\n').filter((line) => line.startsWith(`${layout.bridge}\t`));
  if (conflictWith(subnet, parseRoutes(`header\n${own.join('\n')}`, '')) === undefined) return false;
  const [table, admitted] = await Promise.all([
    hasTable(context, layout),
    isAdmitted(context, layout.bridge),
  ]);
  return table && admitted;
}

/**
 * The subnet that the environment has, or the first free one.
 * @throws Failure kind `usage` naming what occupies it.
 */
export async function subnetFor(
  settings: LocalSettings,
  layout: EnvironmentLayout,
  record: EnvironmentRecord | undefined,
): Promise<string> {
  const occupied = await occupiedNetworks(settings, layout);
  if (record !== undefined) {
    const conflict = conflictWith(record.subnet, occupied);
    if (conflict === undefined) return record.subnet;
    throw new Failure(
      'usage',
      `The hosts' network ${record.subnet} is taken on this machine: ${conflict.by}.`,
      {
        step: 'network',
        next:
          'Remove that route or network (a VPN?), or destroy the environment and bring it up again: it ' +
          'then gets another network.',
      },
    );
  }
  const choice = chooseSubnet(settings.networks, occupied);
  if ('subnet' in choice) return choice.subnet;
  throw new Failure(
    'usage',
    `No network is free for the hosts: ${choice.taken.slice(0, 3).join(', ')} overlap ` +
      `${settings.networks.join(', ')}.`,
    {
      step: 'network',
      next:
        'Set PIPELINE_LOCAL_NETWORK to a network that is free here, e.g. ' +
        'PIPELINE_LOCAL_NETWORK=10.99.0.0/16.',
    },
  );
}

/** Makes what is missing; harmless where all is there. Hosts that lost their bridge are attached again. */
export async function ensureNetwork(
  context: Context,
  layout: EnvironmentLayout,
  subnet: string,
  lock: number,
): Promise<void> {
  const { bridge } = layout;
  const devices = await readdir('/sys/class/net');
  const batch = [
    ...(devices.includes(bridge) ? [] : [`link add ${bridge} type bridge forward_delay 0`]),
    `address replace ${addressIn(subnet, 1)}/24 dev ${bridge}`,
    `link set ${bridge} up`,
    ...devices
      .filter((device) => device.startsWith(`${bridge}-`))
      .map((device) => `link set ${device} master ${bridge} up`),
  ];
  await mustRun(context, 'network', 'ip', ['-batch', '-'], { input: `${batch.join('\n')}\n`, lock });
  // before anything else adds rules: Docker, started while this is 0, closes forwarding for everybody
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await mustRun(context, 'network', 'nft', ['-f', '-'], { input: tableText(layout, subnet), lock });
  await admitBridge(context, bridge, lock);
}

/** Removes devices, table and rules, whichever there are. */
export async function removeNetwork(
  context: Context,
  layout: EnvironmentLayout,
  lock: number,
): Promise<void> {
  const all = await readdir('/sys/class/net');
  const devices = all.filter((device) => device === layout.bridge || device.startsWith(`${layout.bridge}-`));
  for (const device of devices) await deleteDevice(context, device, lock);
  if (await hasTable(context, layout))
    await mustRun(context, 'network', 'nft', ['delete', 'table', 'ip', layout.table], { lock });
  await expelBridge(context, layout.bridge, lock);
}

/** nftables rules of one environment, replaced as a whole in one transaction. */
function tableText(layout: Pick<EnvironmentLayout, 'table'>, subnet: string): string {
  return `table ip ${layout.table}
delete table ip ${layout.table}
table ip ${layout.table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} ip daddr != ${subnet} masquerade
  }
}
`;
}

async function occupiedNetworks(settings: LocalSettings, own: EnvironmentLayout): Promise<Occupied[]> {
  const routes = parseRoutes(await readFile('/proc/net/route', 'utf8'), own.bridge);
  const environments = await listEnvironments(settings);
  const others = environments.flatMap(({ layout, record }) => {
    const network = record && layout.id !== own.id ? parseNetwork(record.subnet) : undefined;
    return network
      ? [{ network, by: `environment ${record?.environment} of ${record?.directory} (${record?.subnet})` }]
      : [];
  });
  return [...others, ...routes];
}

async function hasTable(context: Context, layout: EnvironmentLayout): Promise<boolean> {
  const tables = await outputOf(context, 'nft', ['list', 'tables', 'ip']);
  return (tables ?? '').split('\n').includes(`table ip ${layout.table}`);
}

/**
 * A device that is gone already is no failure: the kernel removes a killed host's by itself, a little later.
 */
async function deleteDevice(context: Context, device: string, lock: number): Promise<void> {
  const result = await run(context, 'ip', ['link', 'delete', device], { lock });
  if (result.exitCode !== 0 && (await readdir('/sys/class/net')).includes(device)) {
    throw new Failure('host', `The network device ${device} cannot be removed: ${result.stderr.trim()}.`, {
      step: 'network',
      next: `Run \`ip link delete ${device}\` by hand and the command again.`,
    });
  }
}
