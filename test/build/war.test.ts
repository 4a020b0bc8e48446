import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { givenArtifact } from '../../src/build/given.ts';
import type { TomcatRecipe } from '../../src/build/recipe.ts';
import { servletApi } from '../../src/build/war.ts';
import { buildWar, findWar, told } from '../../src/build/war-build.ts';
import { appSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { failureOf } from '../support/releases.ts';

const folder = mkdtempSync(join(tmpdir(), 'pipeline-war-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A class file's constant pool has names as plain text. */
const uses = (api: string) => strToU8(`\u0000\u0001\u0000\u001e${api}/servlet/http/HttpServlet\u0000`);
const jar = (...apis: string[]) =>
  zipSync(Object.fromEntries(apis.map((api, index) => [`a/B${index}.class`, uses(api)])));
const war = (files: Record<string, Uint8Array>) => zipSync({ 'WEB-INF/placeholder': strToU8(''), ...files });

describe('the servlet API of a WAR', () => {
  const javaee = strToU8('<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="3.1"/>');
  const jakartaee = strToU8('<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"/>');
  it.each<[string, Record<string, Uint8Array>, 'javax' | 'jakarta' | null]>([
    ['its own classes', { 'WEB-INF/classes/A.class': uses('javax') }, 'javax'],
    [
      'its own classes, whatever libraries it brings',
      { 'WEB-INF/classes/A.class': uses('jakarta'), 'WEB-INF/lib/a.jar': jar('javax', 'javax') },
      'jakarta',
    ],
    ['its pages', { 'a.jsp': strToU8('<%@ page import="javax.servlet.http.*" %>') }, 'javax'],
    ['web.xml of Java EE', { 'WEB-INF/web.xml': javaee, 'WEB-INF/lib/a.jar': jar('jakarta') }, 'javax'],
    ['web.xml of Jakarta EE', { 'WEB-INF/web.xml': jakartaee }, 'jakarta'],
    ['what most of the libraries use', { 'WEB-INF/lib/a.jar': jar('javax', 'javax', 'jakarta') }, 'javax'],
    ['neither, in files alone', { 'index.html': strToU8('javax/servlet/') }, null],
  ])('is told by %s', (_, files, expected) => {
    expect(servletApi('app', war(files))).toBe(expected);
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'app: the WAR is an empty file.'],
    ['something else', strToU8('<html>not found</html>'), 'app: the WAR is damaged or cut off.'],
    [
      'half of one',
      war({ 'WEB-INF/classes/A.class': uses('javax') }).slice(0, 120),
      'app: the WAR is damaged or cut off.',
    ],
    ['an archive of another kind', zipSync({ 'a.txt': strToU8('a') }), 'app: the WAR has no folder WEB-INF.'],
    [
      'one with half a library',
      war({ 'WEB-INF/lib/a.jar': jar('javax').slice(0, 60) }),
      'app: WEB-INF/lib/a.jar is damaged or cut off.',
    ],
  ])('is refused in %s', async (_, bytes, message) => {
    expect(await failureOf(Promise.resolve().then(() => servletApi('app', bytes)))).toMatchObject({
      kind: 'usage',
      message,
    });
  });
});

describe('a build', () => {
  const how = (more: Partial<TomcatRecipe> = {}): TomcatRecipe => ({
    runtime: 'tomcat',
    directory: '',
    build: null,
    artifact: 'target/*.war',
    ...more,
  });
  const context = quietContext({ cwd: folder, env: process.env });
  const failed = (recipe: TomcatRecipe, env = process.env) =>
    failureOf(buildWar('app', recipe, folder, quietContext({ cwd: folder, env })));

  it('finds the WAR that fits', () => {
    expect(findWar('app', how(), ['old/b.war', 'target/a.war'])).toBe('target/a.war');
    expect(findWar('app', how({ directory: 'web' }), ['target/a-1.0.war'])).toBe('web/target/a-1.0.war');
    expect(findWar('app', how({ artifact: './out/a+b.war' }), ['out/a+b.war', 'out/aab.war'])).toBe(
      'out/a+b.war',
    );
  });
  it.each([
    [[], 'app: the build left no WAR "target/*.war".', 'Say where the build puts it: artifact:'],
    [['web/target/a.war'], 'app: the build left no WAR "target/*.war".', 'artifact: web/target/a.war'],
    [
      ['target/a.war', 'target/b.war'],
      'app: the build left several WARs that fit "target/*.war".',
      'artifact: target/a.war',
    ],
  ])('says what to do where it left %j', async (found, message, next) => {
    const failure = await failureOf(Promise.resolve().then(() => findWar('app', how(), found)));
    expect(failure).toMatchObject({ kind: 'usage', message });
    expect(failure.next).toContain(next);
  });
  it('runs the command of the application, and takes what it leaves', async () => {
    const build = 'mkdir -p target && echo $CI >target/a.war';
    expect(await buildWar('app', how({ build }), folder, context)).toBe('target/a.war');
  });
  it('fails with its last lines and exit 3', async () => {
    const failure = await failed(how({ build: 'echo one; echo two >&2; exit 4' }));
    expect(failure).toMatchObject({
      kind: 'host',
      exitCode: 3,
      message: 'app: echo one; echo two >&2; exit 4 failed (exit 4).',
      output: ['one', 'two'],
    });
  });
  it('names the packages where there is no Maven or no compiler', async () => {
    const packages = 'apt-get install maven default-jdk-headless';
    const failure = await failed(how(), { PATH: folder });
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringContaining('there is no Maven') });
    expect(failure.next).toContain(packages);
    const command = await failed(how({ build: 'PATH=/nowhere javac A.java' }));
    expect(command).toMatchObject({ kind: 'host', next: expect.stringContaining(packages) });
  });
  it('leaves out what Maven says of itself', () => {
    expect(
      told([
        '[ERROR] A.java:[3,1] class, interface or enum expected',
        '[ERROR] -> [Help 1]',
        '[ERROR] ',
        '[ERROR] Re-run Maven using the -X switch to enable full debug logging.',
      ]),
    ).toEqual(['[ERROR] A.java:[3,1] class, interface or enum expected']);
  });
});

describe('a WAR that is given', () => {
  const context = quietContext({ cwd: folder });
  const app = (more: object = {}) => appSchema.parse({ source: 'x', hosts: ['web'], ...more });

  it('is an artifact without a commit, called as the file', async () => {
    writeFileSync(join(folder, 'shop.war'), war({ 'WEB-INF/classes/A.class': uses('javax') }));
    expect(await givenArtifact('shop', app(), undefined, 'shop.war', context)).toMatchObject({
      app: 'shop',
      ref: 'shop.war',
      commit: null,
      runtime: 'tomcat',
      path: join(folder, 'shop.war'),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      cached: false,
      servlet: 'javax',
    });
  });
  it.each([
    ['a ref too', {}, 'v1', 'shop.war', 'cannot both be meant'],
    ['a file of another kind', {}, undefined, 'shop.zip', 'takes a WAR'],
    ['another kind of application', { runtime: 'node' }, undefined, 'shop.war', 'takes a WAR'],
    ['a file that is not there', {}, undefined, 'none.war', 'cannot be read: there is none'],
  ])('is refused with %s', async (_, more, ref, file, message) => {
    const failure = await failureOf(givenArtifact('shop', app(more), ref, file, context));
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringContaining(message) });
  });
});
