/** System users and people's accounts. Passwords are locked; groups are added, never taken away. */

import { quote } from '../../ssh/quote.ts';
import type { UserResource } from '../resource.ts';
import type { Facts, UserFact } from '../state.ts';
import { type Compare, changeOf, only, type Probe, words } from './step.ts';

export const userProbe: Probe<Pick<Facts, 'users'>> = {
  script: (resources) => {
    const names = only(resources, 'user').map(({ name }) => name);
    return names.length === 0 ? '' : `getent passwd ${words(names)}\necho :\ngetent group`;
  },
  parse: (lines) => {
    const between = lines.indexOf(':');
    const users: Record<string, UserFact> = {};
    for (const line of lines.slice(0, Math.max(between, 0))) {
      const [name = '', , , , , home = '', shell = ''] = line.split(':');
      users[name] = { home, shell, groups: [] };
    }
    for (const line of lines.slice(between + 1)) {
      const [group = '', , , members = ''] = line.split(':');
      for (const member of members.split(',')) {
        const user = users[member];
        if (user !== undefined) users[member] = { ...user, groups: [...user.groups, group] };
      }
    }
    return { users };
  },
};

export const compareUser: Compare<UserResource> = (resource, facts) => {
  const { name } = resource;
  const fact = facts.users[name];
  const groups = resource.groups ?? [];
  if (fact === undefined) {
    const home = resource.home ?? (resource.system ? '/nonexistent' : `/home/${name}`);
    const shell = resource.shell ?? (resource.system ? '/usr/sbin/nologin' : '/bin/bash');
    return {
      action: 'create',
      diff: [`+home ${home}`, `+shell ${shell}`, ...groups.map((group) => `+group ${group}`)],
      doing: `adding user ${name}`,
      script: [
        // A package that was just installed may have added it; a group of the name may be left from an
        // earlier user.
        `if getent group ${quote(name)} >/dev/null; then own=-g${quote(name)}; else own=-U; fi`,
        `if getent passwd ${quote(name)} >/dev/null; then`,
        `  usermod --home ${quote(home)} --shell ${quote(shell)} ${quote(name)}`,
        'else',
        `  useradd ${resource.system ? '--system --no-create-home' : '--create-home'} --home-dir ` +
          `${quote(home)} --shell ${quote(shell)} "$own" ${quote(name)}`,
        'fi',
        ...addGroups(name, groups),
      ].join('\n'),
    };
  }
  const missing = groups.filter((group) => !fact.groups.includes(group));
  const home = changeOf('home', fact.home, resource.home ?? fact.home);
  const shell = changeOf('shell', fact.shell, resource.shell ?? fact.shell);
  const diff = [...home, ...shell, ...missing.map((group) => `+group ${group}`)];
  if (diff.length === 0) return undefined;
  return {
    action: 'change',
    diff,
    doing: `changing user ${name}`,
    script: [
      ...(home.length > 0 ? [`usermod --home ${quote(resource.home ?? '')} ${quote(name)}`] : []),
      ...(shell.length > 0 ? [`usermod --shell ${quote(resource.shell ?? '')} ${quote(name)}`] : []),
      ...addGroups(name, missing),
    ].join('\n'),
  };
};

function addGroups(name: string, groups: readonly string[]): readonly string[] {
  return groups.length === 0 ? [] : [`usermod --append --groups ${quote(groups.join(','))} ${quote(name)}`];
}
