/** Every file of `cases/` means the same to us as to the real Ansible, or is refused by both. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { hostsIn, type Inventory } from '../../src/inventory/model.ts';
import { parseInventory } from '../../src/inventory/parse.ts';

const folder = join(import.meta.dirname, 'cases');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.ini'))
  .map((name) => join(folder, name));

/** The Python that the installed Ansible runs in; undefined where there is none. */
function ansiblePython(): string | undefined {
  try {
    const program = execFileSync('sh', ['-c', 'command -v ansible-inventory'], { encoding: 'utf8' }).trim();
    return /^#!\s*(\S+)/.exec(readFileSync(program, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

const python = ansiblePython();
const because = python === undefined ? ' (skipped, no Ansible: apt-get install -y ansible-core)' : '';

describe.skipIf(python === undefined)(`read as Ansible reads it${because}`, () => {
  const oracle: Record<string, unknown> =
    python === undefined
      ? {}
      : JSON.parse(
          execFileSync(python, [join(import.meta.dirname, 'ansible-oracle.py'), ...files], {
            encoding: 'utf8',
          }),
        );

  test.each(files.map((path) => [path.slice(folder.length + 1), path]))('%s', (_name, path) => {
    const theirs = oracle[path] as object;
    const ours = read(path);
    if ('error' in theirs) expect(ours).toEqual({ error: expect.any(String) });
    else expect(ours).toEqual(theirs);
  });
});

function read(path: string): unknown {
  try {
    return summary(parseInventory(readFileSync(path, 'utf8'), path));
  } catch (error) {
    if (error instanceof Failure && error.kind === 'usage') return { error: error.message };
    throw error;
  }
}

function summary(inventory: Inventory) {
  const groups = [...inventory.groups.values()].map(({ name, hosts, children }) => {
    const members = hostsIn(inventory, name).map((host) => host.name);
    return [name, { hosts, children: [...children].sort(), members: members.sort() }];
  });
  return {
    hosts: Object.fromEntries([...inventory.hosts.values()].map(({ name, vars }) => [name, vars])),
    groups: Object.fromEntries(groups),
  };
}
