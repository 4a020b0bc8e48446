import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsScript, parseFacts } from '../../src/host/facts.ts';
import { sha256 } from '../../src/host/fingerprint.ts';
import type { Resource } from '../../src/host/resource.ts';

const HOST_LINES = `@@host
os	debian	12	bookworm
architecture	arm64
memory	8000000000
memory	536870912
memory	max
cpus	2
filesystem	100 1000 4096
cgroup	cgroup2fs
systemd
container	systemd-nspawn
clock	timesyncd`;

const answer = (sections: Readonly<Record<string, string>>) =>
  [HOST_LINES, ...Object.entries(sections).map(([name, lines]) => `@@${name}\n${lines}`), '@@end\n'].join(
    '\n',
  );

describe('what a host says is read:', () => {
  it('the host', () => {
    expect(parseFacts(answer({}), 'web', []).host).toEqual({
      name: 'web',
      os: 'debian',
      version: '12',
      codename: 'bookworm',
      architecture: 'arm64',
      memoryBytes: 536870912,
      cpus: 2,
      disk: { freeBytes: 409600, totalBytes: 4096000 },
      cgroup: 2,
      systemd: true,
      container: 'systemd-nspawn',
      clock: 'timesyncd',
    });
  });

  it('whether the kernel has IPv6', () => {
    expect(parseFacts(answer({}), 'web', []).host.noIpv6).toBeUndefined();
    const without = answer({}).replace('clock\t', 'no-ipv6\nclock\t');
    expect(parseFacts(without, 'web', []).host.noIpv6).toBe(true);
  });

  it('packages in every state of dpkg', () => {
    const names = ['here', 'held', 'gone', 'half', 'waiting', 'broken', 'unknown', 'foreign'];
    const { packages, interrupted } = parseFacts(
      answer({
        packages:
          'ii \there\nhi \theld\nrc \tgone\niF \thalf\niW \twaiting\niiR\tbroken\nun \tforeign\n' +
          'ii \tforeign\ninterrupted',
      }),
      'web',
      names.map((name): Resource => ({ kind: 'package', name })),
    );
    expect(packages).toEqual({
      here: 'installed',
      held: 'installed',
      gone: 'absent',
      half: 'broken',
      waiting: 'broken',
      broken: 'broken',
      unknown: 'absent',
      foreign: 'installed',
    });
    expect(interrupted).toBe(true);
  });

  it.each([
    ['no', true],
    // Newer systemd says so of every unit once one was enabled without a reload.
    ['yes', false],
  ])('units, in the order asked for; one without a file says that it needs a reload: %s', (reload, known) => {
    const block = (load: string, active: string, file: string, reload: string) =>
      `LoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\nNeedDaemonReload=${reload}\n`;
    const { services } = parseFacts(
      answer({
        services: [
          block('loaded', 'active', '', reload),
          block('loaded', 'active', 'enabled', 'yes'),
          block('not-found', 'inactive', '', 'no'),
        ].join('\n'),
      }),
      'web',
      [
        { kind: 'service', unit: 'nginx.service' },
        { kind: 'service', unit: 'nothing.service' },
      ],
    );
    expect(services).toEqual({
      'nginx.service': { load: 'loaded', active: 'active', enabled: 'enabled', needsReload: known },
      'nothing.service': { load: 'not-found', active: 'inactive', enabled: '', needsReload: false },
    });
  });

  it('users with the groups that they were added to', () => {
    const { users } = parseFacts(
      answer({
        users: 'app:x:998:998::/srv/app:/bin/sh\n:\nadm:x:4:syslog,app\napp:x:998:\ndocker:x:99:app',
      }),
      'web',
      [{ kind: 'user', name: 'app' }],
    );
    expect(users).toEqual({ app: { home: '/srv/app', shell: '/bin/sh', groups: ['adm', 'docker'] } });
  });

  it('stamps', () => {
    const { stamps } = parseFacts(
      answer({
        stamps: 'id\tservice a.service\nfile /etc/a\t01\nfile /etc/b\t02\nid\tcommand index\nfile /x\t03',
      }),
      'web',
      [],
    );
    expect(stamps).toEqual({
      'service a.service': { 'file /etc/a': '01', 'file /etc/b': '02' },
      'command index': { 'file /x': '03' },
    });
  });

  it.each([
    ['is not whole', answer({}).replace('@@end\n', ''), 'the answer breaks off'],
    [
      'comes from another system',
      answer({}).replace('debian\t12', 'fedora\t41'),
      'web runs fedora 41, which is not supported',
    ],
    [
      'comes from an old release',
      answer({}).replace('debian\t12', 'debian\t11'),
      'web runs debian 11, which is not supported',
    ],
    [
      'comes from a host without systemd',
      answer({}).replace('\nsystemd\n', '\n'),
      'web does not run systemd',
    ],
  ])('not where it %s', (_title, text, message) => {
    expect(() => parseFacts(text, 'web', [])).toThrow(message);
  });

  it('also where a release has no number yet', () => {
    expect(parseFacts(answer({}).replace('debian\t12', 'debian\t'), 'web', []).host.version).toBe('');
  });
});

describe('the script that asks, run by bash here', () => {
  let folder = '';
  const secretText = 'password of a host';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'facts of-'));
    writeFileSync(join(folder, 'same'), 'same\n', { mode: 0o600 });
    writeFileSync(join(folder, 'other'), 'now ä\n');
    writeFileSync(join(folder, 'secret'), secretText);
    writeFileSync(join(folder, 'binary'), Buffer.from([0, 255, 1]));
    writeFileSync(join(folder, 'long'), 'x'.repeat(70_000));
    mkdirSync(join(folder, 'directory'));
    symlinkSync('same', join(folder, 'link'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells what stands at paths, and brings home what differs and may be shown', () => {
    const at = (name: string) => join(folder, name);
    const resources: Resource[] = [
      { kind: 'file', path: at('same'), content: 'same\n' },
      { kind: 'file', path: at('other'), content: 'then\n' },
      { kind: 'file', path: at('secret'), content: 'other', secret: true },
      { kind: 'file', path: at('binary'), content: 'text' },
      { kind: 'file', path: at('long'), content: 'short' },
      { kind: 'file', path: at('link'), content: 'same\n' },
      { kind: 'file', path: at('none'), content: '' },
      { kind: 'directory', path: at('directory') },
      { kind: 'link', path: at('gone/link'), target: 'x' },
      { kind: 'command', name: 'done', unless: `test -d '${folder}'`, run: 'false' },
      { kind: 'command', name: 'not done', unless: 'exit 3', run: 'false' },
      { kind: 'command', name: 'reads its input', unless: 'read -r line', run: 'false' },
    ];
    const { stdout, stderr } = spawnSync('bash', [], { input: factsScript(resources), encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).not.toContain(Buffer.from(secretText).toString('base64'));
    // Where the tests run there may be no systemd.
    const { paths, commands } = parseFacts(
      stdout.replace('@@host\n', '@@host\nsystemd\n'),
      'here',
      resources,
    );
    const fact = (name: string) => paths[at(name)];
    expect(fact('same')).toMatchObject({ type: 'file', mode: '0600', sha256: sha256('same\n') });
    expect(fact('same')?.content).toBeUndefined();
    expect(fact('other')?.content).toBe('now ä\n');
    expect(fact('secret')?.sha256).toBe(sha256(secretText));
    expect(fact('secret')?.content).toBeUndefined();
    expect(fact('binary')?.content).toBeUndefined();
    expect(fact('long')?.content).toBeUndefined();
    expect(fact('link')).toMatchObject({ type: 'link', target: 'same' });
    expect(fact('directory')?.type).toBe('directory');
    expect(fact('none')).toBeUndefined();
    expect(commands).toEqual({ done: true, 'not done': false, 'reads its input': false });
  });
});
