import { describe, expect, test } from 'vitest';
import {
  environmentFile,
  hasLoopbackOnly,
  hostsFile,
  loopbackWarnings,
  parseEnvironment,
  selectFetchSettings,
  selectNpmSettings,
} from '../../../src/cloud/local/handed.ts';
import { selectPipSettings } from '../../../src/cloud/local/pip.ts';

test('apt: what is about fetching, and no hook, cache or index of the machine', () => {
  const dump = `APT "";
APT::Architecture "amd64";
Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://user:word@proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/company.pem";
Acquire::Languages "";
Acquire::Languages:: "none";
Acquire::IndexTargets "";
Acquire::IndexTargets::deb::Packages "";
Acquire::CompressionTypes::xz "xz";
Acquire::cdrom::mount "/media/cdrom/";
Dir::Cache::pkgcache "";
DPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";
`;
  expect(selectFetchSettings(dump)).toBe(`Acquire::http "";
Acquire::http::Proxy "http://user:word@proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/company.pem";
Acquire::Languages "";
Acquire::Languages:: "none";
`);
});

describe('/etc/environment', () => {
  test('proxies in both spellings; hosts of the subnet are reached directly', () => {
    expect(environmentFile({ HTTPS_PROXY: 'http://proxy:1', no_proxy: 'intranet' }, '10.77.1.0/24')).toBe(
      `https_proxy=http://proxy:1
HTTPS_PROXY=http://proxy:1
no_proxy=intranet,localhost,127.0.0.1,10.77.1.0/24
NO_PROXY=intranet,localhost,127.0.0.1,10.77.1.0/24
`,
    );
  });
  test('certificates for Node, where the machine has them', () => {
    expect(environmentFile({ NODE_EXTRA_CA_CERTS: '/etc/company.pem' }, '10.77.1.0/24')).toBe(
      'NODE_EXTRA_CA_CERTS=/etc/company.pem\n',
    );
  });
  test('nothing to hand down', () => expect(environmentFile({ http_proxy: '' }, '10.77.1.0/24')).toBe(''));
});

test('variables of /etc/environment', () => {
  const text =
    `# a comment\nhttp_proxy="http://proxy:1"\nexport HTTPS_PROXY=http://proxy:2\n\nNAME='a b'\n` +
    'not one\n';
  expect(parseEnvironment(text)).toEqual({
    http_proxy: 'http://proxy:1',
    HTTPS_PROXY: 'http://proxy:2',
    NAME: 'a b',
  });
});

test('npm: registries, certificates, proxies and logins; later files win; variables are replaced', () => {
  const files = [
    'registry=https://old.example/\nfund=false\n',
    `; a comment
registry = https://registry.example/
@team:registry=https://team.example/
//team.example/:_authToken=\${TOKEN}
cafile=/etc/ssl/company.pem
prefix=/opt
strict-ssl=true
`,
  ];
  expect(selectNpmSettings(files, { TOKEN: 'secret' })).toBe(`registry=https://registry.example/
@team:registry=https://team.example/
//team.example/:_authToken=secret
cafile=/etc/ssl/company.pem
strict-ssl=true
`);
});

test('/etc/hosts: names for other machines, none for itself', () => {
  const machine = `127.0.0.1 localhost
127.0.1.1 laptop.example laptop
::1 localhost ip6-localhost
ff02::1 ip6-allnodes
192.0.2.7 mirror.example
fd00::7 mirror6.example
# 192.0.2.8 gone.example
`;
  expect(hostsFile(machine)).toBe(`127.0.0.1 localhost
::1 localhost ip6-localhost
192.0.2.7 mirror.example
fd00::7 mirror6.example
`);
});

test.each([
  ['nameserver 127.0.0.53\noptions edns0\n', true],
  ['nameserver ::1\nnameserver 127.0.0.1\n', true],
  ['nameserver 127.0.0.1\nnameserver 192.0.2.53\n', false],
  ['nameserver 192.0.2.53\n', false],
  ['', false],
])('%j names servers on the loopback address only: %s', (text, expected) => {
  expect(hasLoopbackOnly(text)).toBe(expected);
});

test('what listens on the loopback address only is said, without a password', () => {
  const env = { https_proxy: 'http://user:word@127.0.0.1:3128' };
  expect(
    loopbackWarnings('nameserver 127.0.0.1\n', env, 'Acquire::http::Proxy "http://localhost:3142";\n'),
  ).toEqual([
    "The name server listens on this machine's loopback address only: hosts cannot resolve " +
      'names. Name another one in /etc/resolv.conf.',
    "The proxy 127.0.0.1:3128 listens on this machine's loopback address: hosts cannot reach " +
      'it. Let it listen on all addresses.',
    "The proxy localhost:3142 listens on this machine's loopback address: hosts cannot reach " +
      'it. Let it listen on all addresses.',
  ]);
  expect(loopbackWarnings('nameserver 192.0.2.53\n', { https_proxy: 'http://proxy.example:3128' })).toEqual(
    [],
  );
});

test("pip's settings about fetching are merged as pip does; others stay here", () => {
  const files = [
    '[global]\nindex-url = https://index.example/simple\nfind-links = /opt/wheels\n',
    '[global]\nextra-index-url =\n  https://one.example\n  https://two.example\n[freeze]\ntimeout = 10\n',
  ];
  expect(selectPipSettings(files, { PIP_TIMEOUT: '60', PIP_FIND_LINKS: '/opt' })).toBe(`[global]
index-url = https://index.example/simple
extra-index-url = 
  https://one.example
  https://two.example
timeout = 60
`);
  expect(selectPipSettings(['', '[list]\nformat = json\n'], {})).toBe('');
});
