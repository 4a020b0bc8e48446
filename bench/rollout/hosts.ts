/**
 * The same on a real host, with visitors who carry cookies, come back, and are as busy as a Zipf law says:
 * what they get of a version before it is back at 0, counted where they are; what a rollout loses them; what
 * its own process needs.
 */
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { followRollout } from '../../src/release/rollout.ts';
import { APP, type ReleaseFixture, startReleases } from '../../test/support/releases.ts';
import { startVisitors } from '../../test/support/visitors.ts';

/** A third of the requests are somebody's first. Answers take 20 to 40 ms, which no busy machine hides. */
const SITE = {
  visitors: 2000,
  fresh: 0.3,
  path: (visitor: number, count: number) => `/?ms=${20 + ((7 * count + visitor) % 20)}`,
};
/** A version that is not decided on by then is taken back. */
const AT_MOST = '10m';

interface Row {
  readonly name: string;
  readonly candidate: string;
  readonly rate: number;
  readonly steps: readonly number[];
}

const ROWS: readonly Row[] = [
  { name: 'fails everything', candidate: 'broken-elsewhere', rate: 100, steps: [1, 5, 25, 50] },
  { name: 'fails one in twenty', candidate: 'flaky', rate: 100, steps: [1, 5, 25, 50] },
  { name: 'ten times as slow', candidate: 'tenfold', rate: 100, steps: [5, 50] },
  { name: 'as good, 100/s', candidate: 'two', rate: 100, steps: [5, 50] },
  { name: 'as good, 500/s', candidate: 'two', rate: 500, steps: [5, 50] },
];

interface Ended {
  readonly last: RolloutStatus;
  readonly failed: number;
  readonly dropped: number;
  readonly again: number;
  /** Memory of the rollout's process, MB, and its share of a core, per cent. */
  readonly memory: number;
  readonly processor: number;
}

/** @param only rows whose name has this in it. */
export async function onHosts(rounds: number, only = ''): Promise<void> {
  const at = await startReleases(['web']);
  try {
    process.stdout.write('On a real host: what became of it, after how long, and what visitors got\n');
    for (const row of ROWS.filter(({ name }) => name.includes(only))) {
      for (let round = 0; round < rounds; round++)
        process.stdout.write(`  ${line(row, await once(at, row))}\n`);
    }
  } finally {
    await at.stop();
  }
}

async function once(at: ReleaseFixture, { candidate, rate, steps }: Row): Promise<Ended> {
  await at.clean();
  const app = { rollout: { at_most: AT_MOST, otherwise: 'take back' as const } };
  await at.deploy('one', app);
  const visitors = startVisitors({ address: at.addresses[0] ?? '', rate, ...SITE });
  let used = { memory: 0, processor: 0 };
  try {
    const { rollout } = await at.deploy(candidate, app, { canary: steps });
    if (rollout === undefined) throw new Error('there was nothing to let it in beside');
    let looks = 0;
    const last = await followRollout(rollout.host, APP, at.context, () => {
      looks += 1;
      if (looks % 10 === 5) void usage(at).then((now) => (used = now));
    });
    if (last === undefined) throw new Error('it told nothing');
    const { failed, dropped, again } = await visitors.stop();
    return { last, failed, dropped, again, ...used };
  } finally {
    await visitors.stop();
  }
}

/** Of the rollout's process, since it began. */
async function usage(at: ReleaseFixture): Promise<{ readonly memory: number; readonly processor: number }> {
  const unit = `pipeline-rollout@${APP}.service`;
  const said = await at.on(`ps -o rss=,pcpu= -p "$(systemctl show -P MainPID ${unit})" || true`);
  const [memory = 0, processor = 0] = said.trim().split(/\s+/).map(Number);
  return { memory: memory / 1000, processor };
}

function line({ name }: Row, { last, failed, dropped, again, memory, processor }: Ended): string {
  const seconds = Math.round((Date.parse(last.at) - Date.parse(last.began)) / 1000);
  const { visitors, requests } = last.sides.candidate;
  return (
    `${name.padEnd(20)} ${last.phase.padEnd(11)} ${seconds} s  ` +
    `${visitors} visitors, ${requests} requests of it  ` +
    `${failed} failed, ${dropped} dropped, ${again} asked again  ` +
    `${memory.toFixed(0)} MB, ${processor} % of a core  ` +
    `${last.events.at(-1)?.why ?? ''}`
  );
}
