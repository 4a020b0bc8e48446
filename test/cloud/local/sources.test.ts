import { expect, test } from 'vitest';
import { distributionSources, sourcesOf } from '../../../src/cloud/local/sources.ts';

const DEB822 = `# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://packages.example/docker
Suites: bookworm
Components: stable

Types: deb
URIs: http://mirror.example/old
Suites: bookworm
Components: main
Enabled: no
`;
const LIST = `deb http://mirror.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/etc/apt/keyrings/company.gpg] https://mirror.example/security bookworm-security main
deb-src http://mirror.example/debian bookworm main
# deb http://mirror.example/debian bookworm-updates main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb https://packages.example/pgdg bookworm-pgdg main
deb https://packages.example/node nodistro main
`;

test("deb822: the distribution's paragraphs, binary packages and suites of the default only", () => {
  expect(distributionSources([{ name: 'debian.sources', text: DEB822 }], 'bookworm')).toEqual({
    list: '',
    deb822: `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    keys: ['/usr/share/keyrings/debian-archive-keyring.gpg'],
  });
});

test("one-line entries: the distribution's, with the keys that they name", () => {
  expect(distributionSources([{ name: 'sources.list', text: LIST }], 'bookworm')).toEqual({
    list: `deb http://mirror.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/etc/apt/keyrings/company.gpg] https://mirror.example/security bookworm-security main
`,
    deb822: '',
    keys: ['/etc/apt/keyrings/company.gpg'],
  });
});

test('a key that stands in the file itself is no path', () => {
  const text =
    'Types: deb\nURIs: http://a.example/\nSuites: noble\nComponents: main\nSigned-By:\n ' +
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY/x\n -----END PGP PUBLIC KEY BLOCK-----\n';
  const found = distributionSources([{ name: 'ubuntu.sources', text }], 'noble');
  expect(found?.keys).toEqual([]);
  expect(found?.deb822).toContain(' mDMEY/x\n');
});

test.each([
  ['another release', [{ name: 'sources.list', text: LIST }], 'trixie'],
  ['nothing at all', [], 'bookworm'],
  ['files that apt ignores', [{ name: 'debian.sources.bak', text: DEB822 }], 'bookworm'],
])('%s: none', (_, files, codename) => expect(distributionSources(files, codename)).toBeUndefined());

test('another release comes from the same archives, updates and security too', () => {
  const files = [
    { name: 'sources.list', text: LIST },
    { name: 'debian.sources', text: DEB822 },
  ];
  const own = distributionSources(files, 'bookworm');
  expect(own && sourcesOf(own, 'bookworm', 'trixie')).toEqual({
    list: `deb http://mirror.example/debian trixie main contrib
deb [arch=amd64 signed-by=/etc/apt/keyrings/company.gpg] https://mirror.example/security trixie-security main
`,
    deb822: `Types: deb
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    keys: ['/etc/apt/keyrings/company.gpg', '/usr/share/keyrings/debian-archive-keyring.gpg'],
  });
});
