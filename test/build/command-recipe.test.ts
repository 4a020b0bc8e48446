import { describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../../src/build/clean-environment.ts';
import { olderThan } from '../../src/build/command-build.ts';
import { commandArtifact } from '../../src/build/command-recipe.ts';
import { recipe } from '../../src/build/recipe.ts';
import type { SourceFiles } from '../../src/build/source-files.ts';
import { appSchema } from '../../src/config/schema.ts';
import { Failure } from '../../src/errors.ts';

const files = (text: Record<string, string>): SourceFiles => ({ existing: new Set(Object.keys(text)), text });
const decide = (definition: object, text: Record<string, string>) => {
  const made = recipe('app', appSchema.parse({ source: 'x', hosts: ['web'], ...definition }), files(text));
  if (made.runtime !== 'command') throw new Error(`it is ${made.runtime}`);
  return made;
};
const failure = (definition: object, text: Record<string, string>): Failure => {
  try {
    throw new Error(`it worked: ${JSON.stringify(decide(definition, text))}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
};
const start = 'gunicorn --bind 127.0.0.1:$PORT app:app';

describe('a Python service', () => {
  it('has what requirements.txt says installed on the host, and its build runs there', () => {
    const made = decide({ start }, { 'requirements.txt': 'flask==3.1.2\n' });
    expect(made).toMatchObject({
      language: 'python',
      packages: ['python3', 'python3-venv'],
      dependencies: { language: 'python', files: { 'requirements.txt': 'flask==3.1.2\n' }, least: null },
      build: null,
      buildOn: 'host',
      start,
    });
  });

  it('takes included files along, and leaves indexes that a commit names out', () => {
    const { dependencies } = decide(
      { start, directory: 'api' },
      {
        api: '',
        'api/requirements.txt': '-i https://example.org/simple\n-r requirements/base.txt\r\ngunicorn==23.0.0',
        'api/requirements/base.txt': '--extra-index-url=https://example.org/x\n-c more.txt\nflask==3.1.2',
        'api/requirements/more.txt': 'werkzeug<4',
      },
    );
    expect(dependencies?.files).toEqual({
      'requirements.txt': '-r requirements/base.txt\ngunicorn==23.0.0',
      'requirements/base.txt': '-c more.txt\nflask==3.1.2',
      'requirements/more.txt': 'werkzeug<4',
    });
  });

  it('may have a lock file of poetry', () => {
    const text = { 'pyproject.toml': '[tool.poetry]\n', 'poetry.lock': '[[package]]\n' };
    expect(decide({ start }, text).dependencies?.files).toEqual(text);
  });

  it('may come with uv.lock, and say which Python it needs', () => {
    const project = '[project]\nrequires-python = ">=3.12,<4"\ndependencies = ["flask"]\n';
    const { dependencies } = decide({ start }, { 'pyproject.toml': project, 'uv.lock': 'version = 1\n' });
    expect(dependencies).toEqual({
      language: 'python',
      files: { 'pyproject.toml': project, 'uv.lock': 'version = 1\n' },
      least: '3.12',
    });
  });

  it('identifies its dependencies by every file that decides them', () => {
    const lock = (text: string) => commandArtifact(decide({ start }, { 'requirements.txt': text })).lock;
    expect(lock('flask==3.1.2')).toBe(lock('flask==3.1.2'));
    expect(lock('flask==3.1.2')).not.toBe(lock('flask==3.1.1'));
  });

  it('starts as its Procfile says', () => {
    const text = { 'requirements.txt': '', Procfile: 'worker: celery\nweb: gunicorn wsgi:app \n' };
    expect(decide({}, text).start).toBe('gunicorn wsgi:app');
  });

  it.each([
    [
      'gunicorn',
      { 'requirements.txt': 'Flask==3\ngunicorn==23', 'wsgi.py': '' },
      /e\.g\. start: gunicorn --bind 127\.0\.0\.1:\$PORT wsgi:app/,
    ],
    [
      'no server',
      { 'requirements.txt': 'Flask==3', 'app.py': '' },
      /^Add gunicorn to its dependencies\. .*app:app/,
    ],
    [
      'FastAPI',
      { 'requirements.txt': 'fastapi==1\nuvicorn[standard]==1', 'main.py': '' },
      /start: uvicorn --host 127\.0\.0\.1 --port \$PORT main:app/,
    ],
  ])('that does not say how it starts is told how, with %s', (_what, text, next) => {
    expect(failure({}, text)).toMatchObject({ kind: 'usage', next: expect.stringMatching(next) });
  });

  it.each([
    ['a lock file of pdm', { 'pyproject.toml': '[project]\n', 'pdm.lock': '' }, 'pdm.lock', 'pdm export'],
    ['a lock file of pipenv', { 'Pipfile.lock': '{}' }, 'Pipfile.lock', 'pipenv requirements'],
    [
      'no lock file',
      { 'pyproject.toml': '[project]\ndependencies = ["flask"]\n' },
      'no lock file',
      'uv lock',
    ],
    ['the project itself', { 'requirements.txt': 'flask==3\n-e .\n' }, 'line 2: -e .', 'PYTHONPATH'],
    ['an include that is not there', { 'requirements.txt': '-r base.txt' }, 'base.txt', 'Commit it'],
    ['an include outside', { 'requirements.txt': '-r ../base.txt' }, 'outside', 'directory:'],
  ])('with %s fails before anything is touched', (_what, text, message, next) => {
    const failed = failure({ start }, text);
    expect(failed.kind).toBe('usage');
    expect(failed.message).toContain(message);
    expect(failed.next).toContain(next);
  });
});

describe('other languages', () => {
  it('Go is built here, and its program is found by the build', () => {
    expect(decide({}, { 'go.mod': 'module x\n' })).toMatchObject({
      language: 'go',
      packages: [],
      build: null,
      buildOn: 'here',
      start: null,
    });
  });

  it('Go on the host has its compiler there', () => {
    const made = decide({ build_on: 'host', start: './bin/x' }, { 'go.mod': 'module x\n' });
    expect(made.packages).toContain('golang-go');
    expect(commandArtifact(made).build).toContain('go build');
  });

  it('Ruby has the gems of its lock file', () => {
    const text = { Gemfile: 'gem "puma"', 'Gemfile.lock': 'GEM\n  specs:\n    puma (6.0)\n' };
    expect(decide({ start: 'bundle exec puma' }, text)).toMatchObject({
      language: 'ruby',
      dependencies: { language: 'ruby', files: text },
    });
    expect(failure({}, text).next).toContain('start: bundle exec puma');
    expect(failure({}, { Gemfile: '' }).message).toContain('Gemfile.lock');
  });

  it('without a convention the definition says it all', () => {
    expect(decide({ runtime: 'command', build: 'make', start: './server' }, {})).toEqual({
      runtime: 'command',
      directory: '',
      language: null,
      packages: [],
      engine: null,
      dependencies: null,
      build: 'make',
      buildOn: 'here',
      start: './server',
      how: '',
    });
    expect(failure({ runtime: 'command' }, {}).message).toContain('how the service is started');
    expect(failure({ runtime: 'command', start: './a', build_on: 'host' }, {}).message).toContain(
      'nothing to build',
    );
  });

  it('of several languages the definition names one', () => {
    const text = { 'go.mod': 'module x\n', 'requirements.txt': 'mkdocs\n' };
    expect(failure({}, text)).toMatchObject({
      message: expect.stringContaining('python or go'),
      next: expect.stringContaining('runtime: python'),
    });
    expect(decide({ runtime: 'go' }, text).language).toBe('go');
  });

  it('a package.json that says how it starts makes it a Node service, another one does not', () => {
    const gems = { Gemfile: '', 'Gemfile.lock': 'GEM\n', Procfile: 'web: bundle exec puma' };
    const assets = { ...gems, 'package.json': '{"scripts":{"build":"esbuild"}}' };
    expect(decide({}, assets).language).toBe('ruby');
    const node = { 'requirements.txt': 'x', 'package.json': '{"scripts":{"start":"node ."}}' };
    expect(() => decide({}, node)).toThrow('it is node');
  });
});

it("builds see tools and registries, not the shell's secrets", () => {
  const own = { PATH: '/bin', HTTPS_PROXY: 'p', GOPROXY: 'g', PIP_CERT: 'c', DOTOKEN: 'x', API_KEY: 'y' };
  expect(cleanEnvironment(own)).toEqual({
    ...{ PATH: '/bin', HTTPS_PROXY: 'p', GOPROXY: 'g', PIP_CERT: 'c' },
    ...{ LC_ALL: 'C.UTF-8', TZ: 'UTC', CI: 'true', NO_COLOR: '1' },
  });
});

it.each([
  ['1.19.8', '1.21', true],
  ['1.21', '1.21', false],
  ['1.26.8', '1.9', false],
  ['1.21.1', '1.21.5', true],
])('Go %s for %s: too old is %s', (has, wants, older) => {
  expect(olderThan(has, wants)).toBe(older);
});
