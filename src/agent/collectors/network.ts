/** Traffic of network interfaces, from /proc/net/dev (proc(5)). */
import type { Row } from '../../metrics/catalogue.ts';
import { increase, perSecond } from '../../metrics/rate.ts';
import type { Collector } from '../collector.ts';
import { ProcFile } from '../system/proc-file.ts';

/** Counted since the interface was made. */
export interface NetworkTraffic {
  readonly received: number;
  readonly sent: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly errors: number;
  readonly drops: number;
}

/**
 * Loopback, and the inner ends of containers and bridges, whose traffic is counted at the host's own
 * interface already.
 */
const INNER = /^(lo|veth.*|docker.*|br-.*|virbr.*|ifb.*|dummy.*|cni.*|flannel.*)$/;

/** Reads /proc/net/dev: interfaces that carried anything, by name. */
export function parseNetDev(text: string): Map<string, NetworkTraffic> {
  const interfaces = new Map<string, NetworkTraffic>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon < 0 || INNER.test(name)) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    const field = (index: number): number => fields[index] ?? 0;
    if (field(0) + field(8) === 0) continue;
    interfaces.set(name, {
      received: field(0),
      packetsReceived: field(1),
      sent: field(8),
      packetsSent: field(9),
      errors: field(2) + field(10),
      drops: field(3) + field(11),
    });
  }
  return interfaces;
}

export function networkCollector(): Collector {
  const file = new ProcFile('/proc/net/dev');
  let before = new Map<string, NetworkTraffic>();
  return {
    name: 'network',
    everySeconds: 0,
    collect(seconds) {
      const now = parseNetDev(file.read());
      const networks = [...now].map(([name, traffic]): Row<'networks'> => {
        const last = before.get(name);
        const rate = (column: keyof NetworkTraffic): number | null =>
          perSecond(last?.[column], traffic[column], seconds);
        return {
          interface: name,
          received: rate('received'),
          sent: rate('sent'),
          packets_received: rate('packetsReceived'),
          packets_sent: rate('packetsSent'),
          errors: increase(last?.errors, traffic.errors) ?? 0,
          drops: increase(last?.drops, traffic.drops) ?? 0,
        };
      });
      before = now;
      return { networks };
    },
    close: () => file.close(),
  };
}
