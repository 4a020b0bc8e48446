/**
 * Reserved addresses of a droplet that is removed: the droplet in its place gets them. Nothing in the cloud
 * says whose they were once it is gone, so the project's folder does, until they have moved.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../errors.ts';
import { writeFileAtomic } from '../../../files.ts';
import type { CloudChange } from '../../provider.ts';
import type { Droplet } from '../api/answers.ts';
import { ApiError, isStatus } from '../api/api-error.ts';
import { until } from '../api/wait.ts';
import type { Work } from './work.ts';

/** Machine → addresses. */
const notesSchema = z.record(z.string(), z.array(z.string()));
type Notes = z.infer<typeof notesSchema>;

const STAGE = 'reserved address';
const EVERY_MS = 2_000;
const WITHIN_MS = 5 * 60_000;

function notesFile({ spec }: Work): string {
  return join(spec.directory, '.pipeline', `reserved.${spec.environment}.json`);
}

async function readNotes(work: Work): Promise<Notes> {
  try {
    return notesSchema.parse(JSON.parse(await readFile(notesFile(work), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function writeNotes(work: Work, notes: Notes): Promise<void> {
  const file = notesFile(work);
  if (Object.keys(notes).length === 0) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, `${JSON.stringify(notes)}\n`, 0o600);
}

/** Notes which addresses a machine's droplets have, before they are removed. */
export async function noteReserved(work: Work, name: string, ids: readonly number[]): Promise<void> {
  const { api, context } = work;
  const all = await api.reservedAddresses().catch((error: unknown) => {
    if (!isStatus(error, 403)) throw error;
    const detail =
      'the token may not read them (scope reserved_ip:read): where it has one, assign it by hand';
    context.progress({ host: name, stage: STAGE, state: 'skipped', detail });
    return [];
  });
  const own = all.filter(({ droplet }) => droplet != null && ids.includes(droplet.id)).map(({ ip }) => ip);
  if (own.length === 0) return;
  const notes = await readNotes(work);
  await writeNotes(work, { ...notes, [name]: [...new Set([...(notes[name] ?? []), ...own])] });
}

/** What is still to move, for the plan. */
export async function pendingMoves(work: Work): Promise<readonly CloudChange[]> {
  return Object.entries(await readNotes(work)).map(([host, detail]) => {
    return { host, step: STAGE, action: 'change', detail };
  });
}

/** Gives noted addresses to the droplets in place. @throws Failure kind `cloud`: one does not move */
export async function moveReserved(work: Work, machines: ReadonlyMap<string, Droplet>): Promise<void> {
  for (const [name, addresses] of Object.entries(await readNotes(work))) {
    const droplet = machines.get(name);
    if (droplet === undefined) continue;
    for (const address of addresses) await moveOne(work, name, address, droplet.id);
    const { [name]: _, ...rest } = await readNotes(work);
    await writeNotes(work, rest);
  }
}

async function moveOne(work: Work, host: string, address: string, id: number): Promise<void> {
  const { api, clock, context } = work;
  context.progress({ host, stage: STAGE, state: 'started', detail: address });
  let refused: ApiError | undefined;
  const waiting = { clock, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS };
  const moved = await until(waiting, async () => {
    const now = await api.reservedAddress(address);
    // Somebody gave it back meanwhile, or to another droplet: theirs.
    if (now === undefined) return 'gone';
    if (now.droplet != null) return now.droplet.id === id ? 'there' : 'elsewhere';
    if (now.locked) return undefined;
    await api.assignReserved(address, id).catch((error: unknown) => {
      if (!(error instanceof ApiError) || !isStatus(error, 422)) throw error;
      refused = error;
    });
    return undefined;
  });
  if (moved === undefined)
    throw new Failure('cloud', `the reserved address ${address} does not move to ${host}`, {
      output: refused === undefined ? [] : [refused.message],
      next: 'Run the command again: it goes on from there. Or assign it by hand.',
    });
  const state = moved === 'there' ? 'done' : 'skipped';
  context.progress({
    host,
    stage: STAGE,
    state,
    detail: `${address}${moved === 'there' ? '' : ` is ${moved}`}`,
  });
}
