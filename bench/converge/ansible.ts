/** The same as a playbook, one task a thing, as its documentation would have it. */

import { stringify } from 'yaml';
import { type File, HOSTS, type HostName, stateOf } from './state.ts';

/**
 * Everything that makes Ansible faster and changes nothing: no facts, pipelining, all hosts at once,
 * connections that stay.
 */
export const CONFIGURATION = `[defaults]
forks = 10
gathering = explicit
display_ok_hosts = no
display_skipped_hosts = no
interpreter_python = /usr/bin/python3

[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
`;

interface Task {
  readonly name: string;
  readonly [keyword: string]: unknown;
}

/** The files of the playbook, by name. Hosts go through their tasks independently of each other. */
export function playbook(): Readonly<Record<string, string>> {
  const services = HOSTS.flatMap((host) => stateOf(host).services);
  const handlers = [...new Set(services.map(({ unit }) => unit))].map((unit) => ({
    name: `restart ${unit}`,
    systemd: { name: unit, state: 'restarted' },
  }));
  const play = {
    hosts: 'all',
    gather_facts: false,
    strategy: 'free',
    tasks: [{ name: 'tasks of the host', include_tasks: '{{ inventory_hostname }}.yml' }],
    handlers,
  };
  const yaml = (value: unknown) => stringify(value, { lineWidth: 0 });
  return {
    'site.yml': yaml([play]),
    ...Object.fromEntries(HOSTS.map((host) => [`${host}.yml`, yaml(tasksOf(host))])),
  };
}

/** Different tasks and handlers; those that several hosts have count once. */
export function taskCount(): number {
  const names = HOSTS.flatMap((host) => tasksOf(host).map(({ name }) => name));
  const handlers = HOSTS.flatMap((host) => stateOf(host).services.map(({ unit }) => `restart ${unit}`));
  return new Set([...names, ...handlers]).size;
}

function tasksOf(host: HostName): readonly Task[] {
  const { packages, user, directories, absent, files, services, firewall } = stateOf(host);
  const header = '#!/usr/sbin/nft -f\ntable inet site\ndelete table inet site\n';
  const rules = `${header}table inet site {\n${firewall}}\n`;
  const copy = ({ path, content, mode, owner, group }: File): Task => ({
    name: path,
    copy: { dest: path, content, mode, owner, group },
    notify: services.filter(({ restartOn }) => restartOn.includes(path)).map(({ unit }) => `restart ${unit}`),
  });
  return [
    { name: 'rules', copy: { dest: '/etc/nftables.conf', content: rules, mode: '0755' }, register: 'rules' },
    { name: 'load rules', command: 'nft -f /etc/nftables.conf', when: 'rules.changed' },
    { name: 'rules at boot', systemd: { name: 'nftables', enabled: true } },
    {
      name: 'packages',
      apt: {
        name: packages,
        update_cache: true,
        cache_valid_time: 86400,
        install_recommends: false,
        dpkg_options: 'force-confold',
      },
    },
    {
      name: 'user',
      user: {
        name: user.name,
        system: true,
        home: user.home,
        create_home: false,
        shell: '/usr/sbin/nologin',
      },
    },
    ...[
      ...directories,
      { path: '/etc/systemd/journald.conf.d', mode: '0755', owner: 'root', group: 'root' },
    ].map(
      ({ path, mode, owner, group }): Task => ({
        name: path,
        file: { path, state: 'directory', mode, owner, group },
      }),
    ),
    ...absent.map((path): Task => ({ name: path, file: { path, state: 'absent' } })),
    ...files.map(copy),
    ...services
      .filter(({ unit }) => unit !== 'systemd-journald.service')
      .map(
        ({ unit }): Task => ({
          name: unit,
          systemd: {
            name: unit,
            enabled: true,
            state: 'started',
            daemon_reload: unit === 'heartbeat.service',
          },
        }),
      ),
  ];
}
