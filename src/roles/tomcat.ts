/**
 * Tomcat as Debian packages it, for releases that each run it as a process of their own: the host brings the
 * program and Java, a release its settings and its WAR. The instance that Debian starts itself stays off,
 * unless somebody has applications there.
 */

import type { Resource, TheirsResource } from '../host/resource.ts';
import type { HostFacts } from '../host/state.ts';
import type { Role } from './role.ts';
import { look, sparing } from './theirs.ts';
import program from './tomcat-theirs.sh' with { type: 'text' };

/** Debian 12 and Ubuntu 24.04 carry Tomcat 10, Ubuntu 22.04 only Tomcat 9. */
function tomcatVersion(host: Pick<HostFacts, 'os' | 'version'>): 9 | 10 {
  return host.os === 'ubuntu' && Number(host.version) < 24 ? 9 : 10;
}

/** Somebody's applications in the instance that Debian starts. */
function theirs(version: 9 | 10): TheirsResource {
  return {
    kind: 'theirs',
    name: `Tomcat ${version} of before`,
    look: look(program, { version: String(version) }),
    fate: 'keep',
    says: 'it goes on running',
  };
}

function resources(version: 9 | 10): readonly Resource[] {
  const all: Resource[] = [
    { kind: 'package', name: `tomcat${version}` },
    // WARs that were written for javax.servlet are rewritten for Tomcat 10.
    ...(version === 10 ? [{ kind: 'package', name: 'tomcat-jakartaee-migration' } as const] : []),
    ...sparing(theirs(version), [
      { kind: 'service', unit: `tomcat${version}.service`, enabled: false, state: 'stopped' },
    ]),
  ];
  return all.map((resource) => ({ ...resource, when: (host) => tomcatVersion(host) === version }));
}

export const tomcat: Role = {
  name: 'tomcat',
  exposures: [],
  resources: () => [{ kind: 'package', name: 'unzip' }, ...resources(9), ...resources(10)],
};
