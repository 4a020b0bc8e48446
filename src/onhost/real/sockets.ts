/** Who is connected to whom on the host, and what a release's check says. */
import { CHECK_SILENT } from '../../contract/release.ts';
import type { Host } from '../host.ts';
import { run } from './run.ts';

type Sockets = Pick<Host, 'listener' | 'connections' | 'check'>;

export const sockets: Sockets = {
  listener: async (port) => {
    const { out } = await run('ss', ['-Hltnp', `sport = :${port}`]);
    if (out.trim() === '') return undefined;
    return /users:\(\((.*)\)\)/.exec(out)?.[1] ?? '';
  },
  connections: async (addresses) => {
    const filter = addresses.map((address) => `dst ${address}`).join(' or ');
    const states = ['state', 'established', 'state', 'syn-sent'];
    const { out } = await run('ss', ['-Htn', ...states, `( ${filter} )`]);
    return out.split('\n').filter((line) => line !== '').length;
  },
  check: async (folder, address) => {
    const { code, out } = await run(`${folder}/check`, [address]);
    return { healthy: code === 0, silent: code === CHECK_SILENT, said: out.trim() };
  },
};
