/**
 * At boot, before nginx starts on a host behind a balancer, waits until its applications answer: a request
 * that must not be repeated would be lost if it came too early.
 */
import { appRoot } from '../contract/places.ts';
import { SITES } from '../contract/proxy-paths.ts';
import { instancesIn, serving } from './colours.ts';
import type { Host } from './host.ts';

const LONGEST_MS = 30_000;

/** @param balanced the line that marks the site of a balancer's host. */
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
