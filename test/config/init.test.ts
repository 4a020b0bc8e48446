import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DetectedFolder, detectFolder } from '../../src/config/detect.ts';
import { initialConfig, newProjectId, projectName } from '../../src/config/init.ts';
import { readConfig } from '../../src/config/mistakes.ts';
import { quietContext } from '../../src/context.ts';

const options = { id: '0123456789ab', schema: 'schema.json' };

const FOLDERS: Record<string, DetectedFolder> = {
  'a Node service': {
    name: '@team/Shop Front',
    kind: { runtime: 'node', startsBy: 'node server.js' },
    git: { source: 'https://git.example.com/shop.git', branch: 'main', directory: 'server' },
  },
  'a Node service that does not say how it starts': {
    name: 'x',
    kind: { runtime: 'node', startsBy: undefined },
    git: undefined,
  },
  'a Tomcat application': {
    name: 'iTrust2',
    kind: { runtime: 'tomcat', war: 'iTrust2', wantsMariadb: true },
    git: undefined,
  },
  'a Python service': {
    name: 'api',
    kind: {
      runtime: 'python',
      startsBy: undefined,
      example: { start: 'gunicorn --bind 127.0.0.1:$PORT app:app', before: 'Add gunicorn. ' },
    },
    git: undefined,
  },
  'a Go service': {
    name: 'api',
    kind: { runtime: 'go', startsBy: undefined, example: { start: './server', before: '' } },
    git: undefined,
  },
  'a static site': {
    name: 'site',
    kind: { runtime: 'static' },
    git: { source: '.', branch: undefined, directory: '' },
  },
  'something else': { name: 'thing', kind: { runtime: 'unknown' }, git: undefined },
};

describe.each(Object.entries(FOLDERS))('the first pipeline.yml of %s', (_what, folder) => {
  const text = initialConfig(folder, options);

  test('is a configuration without a mistake', () => {
    const { values, mistakes } = readConfig(text);
    expect(mistakes).toEqual([]);
    expect(values).toMatchObject({
      project: projectName(folder.name),
      id: options.id,
      monitor: { host: 'monitor' },
    });
    expect(Object.keys(values?.apps ?? {})).toEqual(
      folder.kind.runtime === 'unknown' ? [] : [projectName(folder.name)],
    );
  });

  test('stays one when every comment that holds a key is made true', () => {
    const [_header, ...lines] = text.replace('\napps: {}\n', '\n').split('\n');
    const opened = lines.map((line) => line.replace(/^( *)# ( *[a-z_-]+:( |$))/, '$1$2')).join('\n');
    const { values, mistakes } = readConfig(opened);
    expect(mistakes).toEqual([]);
    expect(values?.hosts.web?.count).toBe(2);
    const [app] = Object.values(values?.apps ?? {});
    expect(app?.hosts).toEqual(['web']);
    if (folder.kind.runtime !== 'unknown') {
      expect(app).toMatchObject({ env: { LOG_LEVEL: 'info' }, canary: { rate: 100 } });
    }
  });
});

test('whatever a folder is called and wherever it comes from, the result is a configuration', () => {
  const any = fc.string({ unit: 'grapheme' });
  const address = any.filter((text) => text.trim() !== '');
  const git = fc.record({ source: address, branch: fc.option(address, { nil: undefined }), directory: any });
  const kind = fc.oneof(
    fc.record({ runtime: fc.constant('node' as const), startsBy: fc.option(any, { nil: undefined }) }),
    fc.record({ runtime: fc.constant('static' as const) }),
  );
  fc.assert(
    fc.property(any, kind, fc.option(git, { nil: undefined }), (name, what, repository) => {
      const { values, mistakes } = readConfig(
        initialConfig({ name, kind: what, git: repository }, { ...options, id: newProjectId() }),
      );
      expect(mistakes).toEqual([]);
      const [app] = Object.values(values?.apps ?? {});
      expect(app?.source).toBe(repository?.source ?? '.');
      if (repository?.branch !== undefined) expect(app?.ref).toBe(repository.branch);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['@team/Shop Front', 'shop-front'],
  ['Élan Vital', 'e-lan-vital'],
  ['2fast', 'fast'],
  ['...', 'app'],
  ['a'.repeat(60), 'a'.repeat(40)],
])('the project of %j is called %s', (text, name) => expect(projectName(text)).toBe(name));

test('ids are what the schema takes, and never the same', () => {
  const ids = new Set(Array.from({ length: 100 }, newProjectId));
  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9]{8,32}$/);
});

describe('looking at a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-init-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });

  test('finds a Node service', async () => {
    write('package.json', JSON.stringify({ name: 'shop', scripts: { start: 'node .' } }));
    expect(await detectFolder(folder, quietContext())).toEqual({
      name: 'shop',
      kind: { runtime: 'node', startsBy: 'node .' },
      git: undefined,
    });
  });

  test.each([
    ['Python', { 'requirements.txt': 'flask\ngunicorn' }, { runtime: 'python', startsBy: undefined }],
    ['Go', { 'go.mod': 'module x' }, { runtime: 'go' }],
    [
      'Ruby with a package.json for its pages',
      { 'Gemfile.lock': 'GEM', 'package.json': '{"scripts":{"build":"esbuild"}}', Procfile: 'web: puma' },
      { runtime: 'ruby', startsBy: 'puma' },
    ],
    [
      'Node beside Python',
      { 'requirements.txt': '', 'package.json': '{"main":"a.js"}' },
      { runtime: 'node' },
    ],
    ['nothing certain', { 'requirements.txt': '', 'go.mod': '' }, { runtime: 'unknown' }],
  ])('finds %s', async (_what, files, kind) => {
    for (const [path, text] of Object.entries(files)) write(path, text);
    expect((await detectFolder(folder, quietContext())).kind).toMatchObject(kind);
  });

  test('finds a Tomcat application by the packaging of the project itself', async () => {
    const pom = (packaging: string) => `<project>
      <parent><artifactId>parent</artifactId><packaging>pom</packaging></parent>
      <!-- <packaging>jar</packaging> -->
      <artifactId>clinic-web</artifactId>
      <packaging>${packaging}</packaging>
      <dependencies><dependency><artifactId>mysql-connector-java</artifactId></dependency></dependencies>
      <build><finalName>clinic</finalName></build></project>`;
    write('pom.xml', pom('war'));
    expect(await detectFolder(folder, quietContext())).toMatchObject({
      name: 'clinic-web',
      kind: { runtime: 'tomcat', war: 'clinic', wantsMariadb: true },
    });
    write('pom.xml', pom('jar'));
    expect(await detectFolder(folder, quietContext())).toMatchObject({
      name: 'clinic-web',
      kind: { runtime: 'unknown' },
    });
  });

  test('finds a static site, or nothing', async () => {
    expect(await detectFolder(folder, quietContext())).toMatchObject({
      name: basename(folder),
      kind: { runtime: 'unknown' },
    });
    write('index.html', '<p>');
    expect(await detectFolder(folder, quietContext())).toMatchObject({ kind: { runtime: 'static' } });
  });

  test('takes the repository with its branch and folder, without a password, as it is written', async () => {
    git('init', '-b', 'trunk');
    expect((await detectFolder(folder, quietContext())).git).toEqual({
      source: '.',
      branch: 'trunk',
      directory: '',
    });
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    expect((await detectFolder(join(folder, 'a/b'), quietContext())).git).toEqual({
      source: '../..',
      branch: 'trunk',
      directory: 'a/b',
    });
    git('remote', 'add', 'origin', 'https://me:token@git.example.com/x.git');
    git('config', 'url.https://mirror.example.com/.insteadOf', 'https://me:token@git.example.com/');
    expect((await detectFolder(folder, quietContext())).git).toMatchObject({
      source: 'https://git.example.com/x.git',
    });
  });

  test('refuses a package.json that is not JSON', async () => {
    write('package.json', '{');
    await expect(detectFolder(folder, quietContext())).rejects.toMatchObject({
      kind: 'usage',
      next: expect.stringContaining('pipeline init'),
    });
  });
});
