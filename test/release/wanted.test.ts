// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with such names are what is tested
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Artifact } from '../../src/build/artifact.ts';
import { type AppConfig, appSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { redactor } from '../../src/redact.ts';
import { type GivenCertificate, readCertificate } from '../../src/release/front/certificate.ts';
import { combine, fill, wantedRelease } from '../../src/release/plan/wanted.ts';
import { hidden, resolveSecrets } from '../../src/release/secrets.ts';

const artifact: Artifact = {
  app: 'app',
  ref: 'main',
  commit: 'c'.repeat(40),
  subject: 'Say it',
  runtime: 'node',
  path: '/x',
  sha256: 'a'.repeat(64),
  bytes: 1,
  cached: true,
  node: '20.0.0',
  architecture: null,
  start: 'node a.js',
  directory: 'server',
  servlet: null,
  seconds: 0,
};
const app = (more: object = {}): AppConfig => appSchema.parse({ source: 'x', hosts: ['web'], ...more });
const digest = (
  more: object = {},
  secrets: Record<string, string> = {},
  change: Partial<Artifact> = {},
  templates: Record<string, string> = {},
) => combine('app', app(more), { ...artifact, ...change }, secrets, templates).digest;

describe('whether two deploys are the same', () => {
  it.each([
    ['another ref at the same commit', digest({}, {}, { ref: 'v1.0', subject: 'tagged' })],
    ['other hosts', digest({ hosts: ['a', 'b'] })],
    ['another number of releases kept', digest({ keep: 9 })],
    ['another site', digest({ site: { max_body: '20M' } })],
    ['variables in another order', digest({ env: {} })],
  ])('yes: %s', (_, other) => {
    expect(other).toBe(digest());
  });
  it.each([
    ['another artifact', digest({}, {}, { sha256: 'b'.repeat(64) })],
    ['another variable', digest({ env: { A: '1' } })],
    ['another secret', digest({}, { A: '1' })],
    ['another file', digest({}, {}, {}, { 'a.txt': 'x' })],
    ['another Node', digest({}, {}, { node: '22.0.0' })],
    ['more instances', digest({ instances: 2 })],
    ['another memory limit', digest({ memory: '1G' })],
    ['another health check', digest({ health: { path: '/health' } })],
    ['another start', digest({}, {}, { start: 'node b.js' })],
  ])('no: %s', (_, other) => {
    expect(other).not.toBe(digest());
  });
  it('tells apart what a secret and what a variable say', () => {
    expect(digest({}, { A: '1' })).not.toBe(digest({}, { A: '2' }));
    expect(digest({}, { A: '1' })).not.toBe(digest({ env: { A: '1' } }));
  });
  it('shares files between releases that differ in their environment alone', () => {
    const tree = (more: object, templates = {}) =>
      combine('app', app(more), artifact, {}, templates).manifest.tree;
    expect(tree({ env: { A: '1' } })).toBe(tree({}));
    expect(tree({}, { 'a.txt': 'x' })).not.toBe(tree({}));
  });
  it('refuses a variable that pipeline itself sets', () => {
    expect(() => digest({ env: { PORT: '80' } })).toThrow(/env sets PORT/);
    expect(digest({ env: { PORT: '8080' }, fixed_port: 8080 })).toBeTruthy();
  });
});

describe('files laid over the artifact', () => {
  it.each([
    ['url=${DB}', 'url=secret'],
    ['a ${DB} b ${DB}', 'a secret b secret'],
    ['$DB and $${DB} stay', '$DB and ${DB} stay'],
    ['#{x} ${} {DB}', '#{x} ${} {DB}'],
  ])('%s → %s', (template, text) => {
    expect(fill('app', 'f', template, { DB: 'secret' })).toBe(text);
  });
  it('refuses a name that nobody defines', () => {
    expect(() => fill('app', 'db.properties', 'x=${DBB}', { DB: 'x' })).toThrow(
      /db\.properties uses \$\{DBB\}/,
    );
  });
  it('lie relative to the service, and stay inside the artifact', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-wanted-'));
    try {
      writeFileSync(join(folder, 'template'), 'x ${A}');
      const files = (path: string) =>
        wantedRelease('app', app({ files: { [path]: 'template' } }), artifact, { A: '1' }, folder);
      expect((await files('conf/a.txt')).overlay).toEqual({ 'server/conf/a.txt': 'x 1' });
      expect((await files('../a.txt')).overlay).toEqual({ 'a.txt': 'x 1' });
      await expect(files('../../a.txt')).rejects.toThrow(/leads out of the artifact/);
      await expect(files('/etc/passwd')).rejects.toThrow(/leads out of the artifact/);
      await expect(
        wantedRelease('app', app({ files: { a: 'nothing' } }), artifact, {}, folder),
      ).rejects.toThrow(/cannot be read: there is none/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('secrets', () => {
  const context = quietContext({ env: { PATH: process.env.PATH, MAIL: 'pass word' } });
  const resolve = (sources: Parameters<typeof resolveSecrets>[1]) =>
    resolveSecrets('app', sources, [], tmpdir(), context);
  it('come from the environment and from commands', async () => {
    const { values, kept } = await resolve({ A: { env: 'MAIL' }, B: { command: 'printf "two\\nlines\\n"' } });
    expect(values).toEqual({ A: 'pass word', B: 'two\nlines' });
    expect(kept).toEqual([]);
  });
  it('are all asked for before anything is said', async () => {
    const failed = await resolve({
      A: { env: 'NONE' },
      B: { command: 'exit 3' },
      C: { command: 'true' },
    }).catch((error) => error);
    expect(failed).toBeInstanceOf(Failure);
    expect(failed).toMatchObject({ kind: 'usage', message: 'app: 3 secrets are missing' });
    expect(failed.output).toEqual([
      'A (environment variable NONE is not set)',
      'B (exit 3: exit 3)',
      'C (true: it printed nothing)',
    ]);
  });
  it('are hidden in every form in which a script may hold them', () => {
    const value = `it's "my" $ecret`;
    const hide = redactor(hidden({ A: value }));
    for (const shown of [value, `it's \\"my\\" \\$ecret`, `it'\\''s "my" $ecret`])
      expect(hide(`x=${shown};`)).toBe('x=***;');
  });
});

describe('certificates', () => {
  let folder: string;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-tls-'));
    for (const name of ['a', 'b']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '30',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
      );
    }
    writeFileSync(join(folder, 'text'), 'no certificate');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (certificate: string, key: string, now = new Date()) =>
    readCertificate('app', app({ site: { tls: { certificate, key } } }), folder, now);

  it('are named by their content', async () => {
    const [a, b] = await Promise.all([read('a.crt', 'a.key'), read('b.crt', 'b.key')]);
    expect(a).toMatchObject({ kind: 'given', name: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(b).not.toMatchObject({ name: (a as GivenCertificate).name });
    expect(await readCertificate('app', app(), folder, new Date())).toBeUndefined();
  });
  it('need no file where they come by ACME', async () => {
    const tls = { acme: { email: 'ann@example.com' } };
    expect(
      await readCertificate('app', app({ site: { domains: ['a.example'], tls } }), folder, new Date()),
    ).toEqual({
      kind: 'acme',
      domains: ['a.example'],
      email: 'ann@example.com',
      directory: 'https://acme-v02.api.letsencrypt.org/directory',
    });
  });
  it.each([
    ['a.crt', 'b.key', undefined, /the key belongs to another certificate/],
    ['text', 'a.key', undefined, /is not a PEM certificate/],
    ['a.crt', 'text', undefined, /is not a PEM private key/],
    ['none', 'a.key', undefined, /none cannot be read: there is none/],
    ['a.crt', 'a.key', new Date(Date.now() + 40 * 86_400_000), /expired on/],
    ['a.crt', 'a.key', new Date(Date.now() - 40 * 86_400_000), /not valid before/],
  ])('%s with %s: refused', async (certificate, key, now, message) => {
    await expect(read(certificate, key, now)).rejects.toThrow(message);
  });
  it('need not be valid on the way back, but belong to their key', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 40 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    await expect(read('a.crt', 'a.key')).rejects.toThrow(/expired on/);
    const back = (key: string) =>
      readCertificate('app', app({ site: { tls: { certificate: 'a.crt', key } } }), folder, undefined);
    expect(await back('a.key')).toMatchObject({ kind: 'given' });
    await expect(back('b.key')).rejects.toThrow(/the key belongs to another certificate/);
  });
});
