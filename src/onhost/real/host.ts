/** The host that this program runs on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../host.ts';
import { files } from './files.ts';
import { proxy } from './proxy.ts';
import { attached, run } from './run.ts';
import { sockets } from './sockets.ts';
import { systemd } from './systemd.ts';
import { web } from './web.ts';

export const realHost: Host = {
  executable: process.execPath,
  now: () => Date.now(),
  journalTime: () => ((performance.timeOrigin + performance.now()) / 1000).toFixed(6),
  sleep: (ms) => sleep(ms),
  run: async (program, ...args) => {
    const { code, out, err } = await run(program, args);
    return { code, said: `${out}${err}` };
  },
  attached,
  ...files,
  ...systemd,
  ...sockets,
  ...web,
  ...proxy,
};
