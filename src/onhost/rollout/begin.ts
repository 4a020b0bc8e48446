/** The new version runs beside the old one, and a rollout begins: nobody gets it yet but testers. */
import type { RolloutOrder, TakeOver } from '../../contract/release.ts';
import { rolloutFolder, rolloutUnit } from '../../contract/rollout.ts';
import { siteFile } from '../../proxy/site.ts';
import { disableRollout, enable, enableRollout, moveTo } from '../colours.ts';
import type { Host } from '../host.ts';
import { type Scene, sayer, within } from '../scene.ts';
import { putSite } from '../site.ts';
import { percentTo } from './traffic.ts';

/** What the rollout's own process is told; it lies in the application's settings until the end. */
export interface RolloutFile {
  readonly order: RolloutOrder;
  /** Milliseconds since 1970. */
  readonly began: number;
}

const WORDS: Readonly<Record<RolloutOrder['part'], string>> = {
  whole: 'both versions run, the host decides',
  host: 'both versions run, the balancer decides',
  balancer: 'divides the visitors, and decides',
};

export async function readRollout(host: Host, app: string): Promise<RolloutFile | undefined> {
  const text = await host.read(`${rolloutFolder(app)}/order.json`);
  return text === undefined ? undefined : (JSON.parse(text) as RolloutFile);
}

/** Everything up to the unit that carries it on; `undoRollout` takes back whatever of it was done. */
export async function beginRollout(scene: Scene, order: RolloutOrder): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  const folder = rolloutFolder(app);
  const divides = order.part !== 'host';
  await within('rollout', 'cannot write what the rollout needs', async () => {
    await host.remove(folder);
    await host.makeFolder(folder, 0o700);
    const before = await host.read(siteFile(app));
    if (before !== undefined) await host.write(`${folder}/site.before`, before, 0o600);
    if (order.secrets !== null) await host.write(`${folder}/secrets`, order.secrets, 0o600);
    await host.write(`${folder}/baseline`, `${order.baseline.colour}\n`, 0o600);
    if (divides) await host.beginSplit(app);
    await percentTo(host, order, 0);
    // At a reboot both are there.
    await enable(host, app, placed.colour);
  });
  await putSite(scene, order.shared);
  await within('rollout', 'its unit cannot be started', async () => {
    const file: RolloutFile = { order, began: host.now() };
    await host.write(`${folder}/order.json`, JSON.stringify(file), 0o600);
    if (!divides && order.follows === undefined) return;
    await enableRollout(host, app);
    await host.restart(rolloutUnit(app));
  });
  sayer(scene.tell, 'rollout').done(WORDS[order.part]);
}

/** The site and the traffic are again as before; nothing of the rollout is left. */
export async function undoRollout(host: Host, app: string, old: TakeOver['old']): Promise<void> {
  await disableRollout(host, app);
  await host.stop(rolloutUnit(app));
  await backToBaseline(host, app, old);
}

/** Whoever has the candidate gets the baseline from now on. Done again, it does what is left. */
export async function backToBaseline(host: Host, app: string, old: TakeOver['old']): Promise<void> {
  await restoreSite(host, app, old);
  await host.remove(rolloutFolder(app));
}

/** The site and the traffic of before; what the rollout needs stays. */
export async function restoreSite(host: Host, app: string, old: TakeOver['old']): Promise<void> {
  if (old !== null) await moveTo(host, app, old);
  const before = await host.read(`${rolloutFolder(app)}/site.before`);
  if (before !== undefined) {
    const put = await host.putSite(app, before);
    if ('refused' in put) throw new Error(`nginx does not take the site of before: ${put.refused.join(' ')}`);
  }
  await host.endSplit(app);
}
