import { describe, expect, it } from 'vitest';
import { quietContext } from '../../src/context.ts';
import type { Failure } from '../../src/errors.ts';
import type { PlannedHost } from '../../src/release/plan/plan.ts';
import { agreeFirst } from '../../src/release/send/first-time.ts';
import type { FirstTime } from '../../src/release/types.ts';
import { type Asked, facts, kept, recorded } from './support.ts';

const NEW = facts({ prepared: '', missing: ['nginx', 'sites'] });

/** Index of a thing that somebody else may have, among those that the role of nginx looks for. */
const FOUND = { port: '0\tapache2 at 0.0.0.0:80', user: '2\tnginx' };

/** A host that pipeline changed before, or never; `found` is what it says of somebody else's things. */
function planned(
  name: string,
  asked: Asked[],
  { converged = false, found = '', known = NEW } = {},
): PlannedHost {
  const connection = recorded(name, asked, ({ script }) => ({
    exitCode: script.startsWith('[ -d') && !converged ? 1 : 0,
  }));
  const says =
    '@@host\nos\tdebian\t12\tbookworm\narchitecture\tamd64\nmemory\t1000000000\nsystemd\n' +
    `@@theirs\n${found}\n@@end\n`;
  const check = async (script: string, options: { readonly label: string }) => {
    asked.push({ host: name, script, options });
    return says;
  };
  const { manifest } = kept('two');
  const takeOver = {
    manifest,
    slot: 0,
    colour: 'blue',
    hooks: true,
    old: null,
    secrets: { values: {}, file: undefined },
    proven: false,
  };
  return {
    host: { name, connection: { ...connection, check } },
    facts: known,
    takeOver,
  } as unknown as PlannedHost;
}

const agreeing = () => {
  const heard: FirstTime[][] = [];
  return { heard, agree: async (hosts: readonly FirstTime[]) => void heard.push([...hosts]) };
};
const context = quietContext();

describe('a deploy to hosts that pipeline never changed', () => {
  it('shows what it would change on them alone, and nothing was changed by then', async () => {
    const asked: Asked[] = [];
    const { heard, agree } = agreeing();
    const hosts = [planned('old', asked, { converged: true }), planned('new', asked, { found: FOUND.user })];
    const agreed = await agreeFirst(hosts, [], agree, context);
    expect(heard.map((all) => all.map(({ host }) => host))).toEqual([['new']]);
    expect(heard[0]?.[0]?.changes.map(({ id }) => id)).toContain('package nginx');
    expect(heard[0]?.[0]?.theirs).toMatchObject([{ id: 'theirs user of nginx', found: ['nginx'] }]);
    expect([...agreed]).toEqual([['new', new Set(['theirs user of nginx'])]]);
    expect(asked.map(({ options }) => options.label)).toEqual([
      'was it ever converged',
      'was it ever converged',
      'gather facts',
    ]);
  });

  it('ends with the no of the person who is asked', async () => {
    const no = new Error('not confirmed');
    await expect(agreeFirst([planned('new', [])], [], () => Promise.reject(no), context)).rejects.toBe(no);
  });

  it('stops before the question where no yes helps', async () => {
    const { heard, agree } = agreeing();
    const stopped = agreeFirst([planned('new', [], { found: FOUND.port })], [], agree, context);
    await expect(stopped).rejects.toMatchObject({
      kind: 'usage',
      output: ['apache2 at 0.0.0.0:80'],
    } as Partial<Failure>);
    expect(heard).toEqual([]);
  });

  it('asks nobody where hosts are prepared', async () => {
    const asked: Asked[] = [];
    const { heard, agree } = agreeing();
    await agreeFirst([planned('web', asked, { known: facts() })], [], agree, context);
    expect([heard, asked]).toEqual([[], []]);
  });
});
