import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { plan } from '../../src/host/plan.ts';
import type { Resource } from '../../src/host/resource.ts';
import { type Case, caseFiles, factsOf, HOST, NOTHING } from './cases.ts';

describe.each(caseFiles())('plan: %s', (_kind, cases) => {
  it.each(cases.map((one) => [one.title, one] as const))('%s', (_title, one: Case) => {
    if (one.refused !== undefined) {
      expect(() => plan(factsOf(one), one.resources)).toThrow(one.refused);
      return;
    }
    const planned = plan(factsOf(one), one.resources);
    expect(planned.changes).toHaveLength(one.changes.length);
    one.changes.forEach((change, index) => {
      expect(planned.changes[index]).toMatchObject(change);
    });
    let from = 0;
    for (const line of one.script ?? []) {
      const at = planned.script.indexOf(line, from);
      expect(at, `"${line}" after character ${from} of\n${planned.script}`).toBeGreaterThanOrEqual(0);
      from = at + line.length;
    }
    if (one.changes.length === 0) expect(planned.script).toBe('');
    else expect(spawnSync('bash', ['-n'], { input: planned.script }).stderr.toString()).toBe('');
  });
});

describe('plan', () => {
  it('takes what concerns the host alone', () => {
    const resources: Resource[] = [
      { kind: 'package', name: 'tomcat9', when: ({ os }) => os === 'ubuntu' },
      { kind: 'package', name: 'tomcat10', when: ({ os }) => os === 'debian' },
    ];
    expect(plan(NOTHING, resources).changes.map(({ id }) => id)).toEqual(['package tomcat10']);
    expect(
      plan({ ...NOTHING, host: { ...HOST, os: 'ubuntu' } }, resources).changes.map(({ id }) => id),
    ).toEqual(['package tomcat9']);
  });

  it('hides secrets in what people see, and says which texts to hide in the rest', () => {
    const password = "correct horse's battery\nstaple";
    const planned = plan(NOTHING, [
      { kind: 'file', path: '/etc/app/env', content: password, mode: '0600', secret: true },
      {
        kind: 'command',
        name: 'set the password',
        unless: 'false',
        run: `mysql -e "${password}"`,
        secret: true,
      },
    ]);
    const shown = JSON.stringify(planned.changes);
    for (const word of ['horse', 'battery', 'staple']) expect(shown).not.toContain(word);
    expect(planned.script).toContain('staple');
    expect(planned.secrets).toContain(password);
  });
});
