import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { hostsIn } from '../../src/inventory/model.ts';
import { parseInventory } from '../../src/inventory/parse.ts';

/** The mistakes of a text, one line each. */
function mistakes(text: string): readonly string[] {
  try {
    parseInventory(text, 'inventory.ini');
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.kind).toBe('usage');
    expect(error.next).toMatch(/\S/);
    return error.output.length === 0 ? [error.message] : error.output;
  }
}

describe('an inventory', () => {
  const inventory = parseInventory(
    `monitor ansible_host=10.0.0.1
[web]
web[1:3] role=front ; is no comment`.replace(' ; is no comment', '') +
      `
[db]
db1
web3 # is in both
[fleet:children]
db
web
[fleet:vars]
ansible_user = deploy`,
    'inventory.ini',
  );

  test('has hosts with the variables of all their groups', () => {
    expect(inventory.hosts.get('web3')).toEqual({
      name: 'web3',
      vars: { role: 'front', ansible_user: 'deploy' },
    });
    expect(inventory.hosts.get('monitor')?.vars).toEqual({ ansible_host: '10.0.0.1' });
  });

  test.each([
    ['web', ['web1', 'web2', 'web3']],
    ['fleet', ['db1', 'web3', 'web1', 'web2']],
    ['ungrouped', ['monitor']],
    ['all', ['monitor', 'db1', 'web3', 'web1', 'web2']],
    ['nothing', []],
  ])('the hosts of the group %s are %j', (group, names) => {
    expect(hostsIn(inventory, group).map(({ name }) => name)).toEqual(names);
  });

  test('may be empty', () => {
    expect(parseInventory('# nothing\n', 'inventory.ini').hosts.size).toBe(0);
  });
});

describe('mistakes', () => {
  test('are named all at once, each with its line', () => {
    const text = [
      'h1 ansible_user',
      '[web]',
      'a x="open',
      'b[3:1',
      '[web:cildren]',
      'what belongs to an unknown section is not looked at',
      '[db:vars]',
      'no assignment',
      '[all:children]',
      'wbe',
      '[loop:children]',
      'loop2',
      '[loop2:children]',
      'loop',
    ].join('\n');
    expect(mistakes(text)).toEqual([
      'inventory.ini:1: expected key=value after the host, got: ansible_user',
      'inventory.ini:3: no closing "',
      'inventory.ini:4: a range needs "[" before "]", like web[1:3]',
      'inventory.ini:5: unknown kind of section "cildren", did you mean "children"?',
      'inventory.ini:7: [db:vars] is for a group that does not exist: add a section [db]',
      'inventory.ini:8: expected key=value, got: no assignment',
      'inventory.ini:10: [all:children] names a group that does not exist: wbe, did you mean "web"?',
      'inventory.ini:14: the group loop contains itself: loop > loop2 > loop',
    ]);
  });

  test.each([
    [
      'h ; comment',
      'inventory.ini:1: expected key=value after the host, got: ; (a comment at the end of a ' +
        'line begins with "#")',
    ],
    [
      '[web group]',
      'inventory.ini:1: [web group] is not a section header: expected [group], [group:vars] or ' +
        '[group:children] without spaces',
    ],
    ['web[1:3', 'inventory.ini:1: a range needs "[" before "]", like web[1:3]'],
    ['web[01:3]', 'inventory.ini:1: begin and end of the range [01:3] must have the same number of digits'],
    ['web[a:9]', 'inventory.ini:1: the range [a:9] must run from number to number or from letter to letter'],
    ['web[1:9:0]', 'inventory.ini:1: the step of the range [1:9:0] must be a number from 1'],
    ['web[1:999999999]', 'inventory.ini:1: the range [1:999999999] stands for more than 100000 hosts'],
    ['---', 'inventory.ini:1: "---" begins a YAML file: the inventory must be in INI format'],
    ['web:', 'inventory.ini:1: the host pattern web: ends in ":": a port must follow it'],
    ['[a:children]\na', 'inventory.ini:2: the group a contains itself: a > a'],
  ])('%j: %s', (text, message) => expect(mistakes(text)).toEqual([message]));
});
