/**
 * The host's nginx. The bash functions are the only implementation: balancers and canaries run them too.
 */
import { PROXY_FUNCTIONS } from '../../proxy/scripts.ts';
import type { Host } from '../host.ts';
import putSite from './put-site.sh' with { type: 'text' };
import { type Ran, run } from './run.ts';

type Proxy = Pick<Host, 'weights' | 'moveTraffic' | 'putSite' | 'shareTraffic' | 'beginSplit' | 'endSplit'>;

function bash(script: string, args: readonly string[], input?: string): Promise<Ran> {
  const command = ['-c', `${PROXY_FUNCTIONS}\n${script}`, 'pipeline', ...args];
  return run('bash', command, input === undefined ? {} : { input });
}

async function must(script: string, args: readonly string[], what: string, input?: string): Promise<void> {
  const { code, err } = await bash(script, args, input);
  if (code !== 0) throw new Error(err.trim() || `cannot ${what}`);
}

export const proxy: Proxy = {
  weights: async (app) => {
    const { out } = await bash('weights_get "$1"', [app]);
    const green = out.trim();
    return green === '' ? undefined : Number(green);
  },
  moveTraffic: (app, green) => must('weights_put "$1" "$2"', [app, String(green)], 'write the weights'),
  shareTraffic: (app, { name, files }) =>
    must('share_put "$1" "$2"', [app, name], 'write the share', files.map((file) => `${file}\n`).join('')),
  beginSplit: (app) => must('split_ready "$1"', [app], "make the folder of a rollout's log"),
  endSplit: (app) => must('split_end "$1"', [app], "remove the folder of a rollout's log"),
  putSite: async (app, text) => {
    const { code, out } = await bash(putSite, [app], text);
    if (code !== 0) return { refused: out.split('\n').filter((line) => line !== '') };
    return { changed: out.includes('changed=1') };
  },
};
