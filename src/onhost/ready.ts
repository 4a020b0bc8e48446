/**
 * At boot, before nginx starts on a host behind a balancer: waits until the applications answer. A request
 * that comes too early would be lost where it must not be repeated.
 */
import { appRoot } from '../contract/places.ts';
import { SITES } from '../contract/proxy-paths.ts';
import { instancesIn, serving } from './colours.ts';
import type { Host } from './host.ts';

const LONGEST_MS = 30_000;

/** @param balanced the line in a site's file that says that a balancer stands in front. */
export async function ready(host: Host, balanced: string): Promise<void> {
  const deadline = host.now() + LONGEST_MS;
  for (const file of await host.list(SITES)) {
    if (!file.endsWith('.conf')) continue;
    const lines = ((await host.read(`${SITES}/${file}`)) ?? '').split('\n');
    if (!lines.some((line) => line.trim() === balanced)) continue;
    const app = file.slice(0, -'.conf'.length);
    const colour = (await serving(host, app)) ?? 'blue';
    for (const { address, port } of await instancesIn(host, app, colour)) {
      const well = async () => (await host.check(`${appRoot(app)}/${colour}`, `${address}:${port}`)).healthy;
      while (!(await well()) && host.now() < deadline) await host.sleep(100);
    }
  }
}
