/** The agent itself: what it uses, and what waits to be sent. */
import { increase } from '../../metrics/rate.ts';
import type { Collector } from '../collector.ts';
import type { Sender } from '../sender/sender.ts';
import { VERSION } from '../version.ts';

export function selfCollector(sender: Pick<Sender, 'buffered' | 'takeDropped'>): Collector {
  let before: number | undefined;
  return {
    name: 'agent',
    everySeconds: 0,
    collect(seconds) {
      const { user, system } = process.cpuUsage();
      const used = increase(before, user + system);
      before = user + system;
      return {
        agent: {
          version: VERSION,
          memory: process.memoryUsage.rss(),
          cpu: used === undefined || seconds <= 0 ? null : used / 1e6 / seconds,
          buffered: sender.buffered,
          dropped: sender.takeDropped(),
        },
      };
    },
  };
}
