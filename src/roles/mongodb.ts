/** MongoDB from its makers' packages: sign-in required, on the loopback address alone. */

import type { Resource, TheirsResource } from '../host/resource.ts';
import type { HostFacts } from '../host/state.ts';
import { withValues } from '../ssh/script.ts';
import fetchKey from './mongodb-key.sh' with { type: 'text' };
import reachable from './mongodb-reach.sh' with { type: 'text' };
import program from './mongodb-theirs.sh' with { type: 'text' };
import { mebibytes, type Role, type RoleParams } from './role.ts';
import { look, sparing } from './theirs.ts';

const SERIES = '8.0';
const KEY = `/usr/share/keyrings/pipeline-mongodb-${SERIES}.asc`;
const SOURCES = '/etc/apt/sources.list.d/pipeline-mongodb.list';

const REACH = "reach MongoDB's repository";

/** Without `repository:` of pipeline.yml, MongoDB's own for these releases. */
const OFFICIAL: readonly { readonly os: string; readonly codename: string; readonly component: string }[] = [
  { os: 'debian', codename: 'bookworm', component: 'main' },
  { os: 'ubuntu', codename: 'jammy', component: 'multiverse' },
  { os: 'ubuntu', codename: 'noble', component: 'multiverse' },
];

const configuration = (cacheGigabytes: string) => `# Made by pipeline.
storage:
  dbPath: /var/lib/mongodb
  wiredTiger: { engineConfig: { cacheSizeGB: ${cacheGigabytes} } }
systemLog: { destination: file, logAppend: true, path: /var/log/mongodb/mongod.log }
net: { port: 27017, bindIp: 127.0.0.1 }
security: { authorization: enabled }
`;

/**
 * Since version 5 it ends with an illegal instruction on processors without AVX, which says nothing to
 * anybody.
 */
const PROCESSOR: Resource = {
  kind: 'command',
  name: 'check the processor',
  unless: '[ "$(uname -m)" != x86_64 ] || grep -qw avx /proc/cpuinfo',
  run: `echo 'MongoDB needs a processor with AVX, which this host does not have.'
echo 'Take engine: ferretdb, which speaks the same protocol, or another kind of host.'
exit 1`,
};

/** apt's many words would hide the sentence: they go where people can look. */
const SAID = '/run/pipeline/mongodb-apt';

const REACHABLE = withValues(reachable, { sources: SOURCES, said: SAID });

const FETCH_KEY = withValues(fetchKey, {
  address: `https://pgp.mongodb.com/server-${SERIES}.asc`,
  key: KEY,
  said: SAID,
});

/**
 * Where the packages come from: one resource for each release that there is an official repository for, or
 * the given line.
 */
function repository(line: string | undefined): readonly Resource[] {
  const file = (content: string): Resource => ({ kind: 'file', path: SOURCES, content: `${content}\n` });
  const reach: Resource = {
    kind: 'command',
    name: REACH,
    unless: 'sha256sum --check --status /var/lib/pipeline/mongodb-repository',
    run: REACHABLE,
    after: [`file ${SOURCES}`],
  };
  if (line !== undefined) return [file(line), reach];
  const official = OFFICIAL.map(({ os, codename, component }) => ({
    ...file(
      `deb [signed-by=${KEY}] https://repo.mongodb.org/apt/${os} ` +
        `${codename}/mongodb-org/${SERIES} ${component}`,
    ),
    when: (host: HostFacts) => host.codename === codename,
  }));
  const unknown: Resource = {
    kind: 'command',
    name: 'choose a repository',
    unless: 'false',
    run: `echo 'MongoDB has no packages for this release of the system.'
echo 'Name a repository with repository: in pipeline.yml, or take engine: ferretdb.'
exit 1`,
    when: (host) => !OFFICIAL.some(({ codename }) => codename === host.codename),
  };
  return [
    unknown,
    { kind: 'command', name: "fetch MongoDB's key", unless: `test -s ${KEY}`, run: FETCH_KEY },
    ...official,
    reach,
  ];
}

const FILE = '/etc/mongod.conf';

/** Its packages too: a source of another series would lift it over a version that it must not skip. */
const THEIRS: TheirsResource = {
  kind: 'theirs',
  name: 'MongoDB of before',
  look: look(program, { configuration: FILE }),
  fate: 'keep',
  says: 'it stays as it is, with its own version and settings',
};

function resources(params: RoleParams): readonly Resource[] {
  // A quarter of the memory; the server takes no less than 256 MB.
  const cache = (mebibytes(params, 0.25, 256, 65_536) / 1024).toFixed(2);
  return sparing(THEIRS, [
    PROCESSOR,
    ...repository(params.databases?.repository),
    { kind: 'package', name: 'mongodb-org', after: [`command ${REACH}`] },
    { kind: 'file', path: FILE, content: configuration(cache) },
    { kind: 'service', unit: 'mongod.service', enabled: true, restartOn: [`file ${FILE}`] },
  ]);
}

export const mongodb: Role = { name: 'mongodb', exposures: [], resources };
