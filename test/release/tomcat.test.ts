import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../src/build/artifact.ts';
import { appSchema } from '../../src/config/schema.ts';
import type { Manifest } from '../../src/contract/manifest.ts';
import { contextFolder, tomcatFiles, tomcatStart } from '../../src/release/order/tomcat.ts';
import { instancesOf, unitFile } from '../../src/release/order/unit.ts';
import { combine } from '../../src/release/plan/wanted.ts';

const artifact: Artifact = {
  app: 'clinic',
  ref: 'main',
  commit: 'c'.repeat(40),
  subject: 'Say it',
  runtime: 'tomcat',
  path: '/x',
  sha256: 'a'.repeat(64),
  bytes: 1,
  cached: true,
  node: null,
  architecture: null,
  start: null,
  directory: '',
  servlet: 'javax',
  seconds: 0,
};
const manifest = (more: object = {}): Manifest => {
  const definition = appSchema.parse({ source: 'x', hosts: ['java'], runtime: 'tomcat', ...more });
  const wanted = combine('clinic', definition, artifact, {}, {}).manifest;
  return { ...wanted, release: '20261125-024003-37b95f3', at: '2026-11-25T02:40:03Z', by: 'ann@desk' };
};

describe('a release of a Tomcat application', () => {
  it('has a context, sessions on the disk, and the servlet API of its WAR', () => {
    expect(manifest().tomcat).toEqual({ context: '/', sessions: 'shared', servlet: 'javax' });
    expect(manifest({ context: '/clinic', sessions: 'memory' }).tomcat).toEqual({
      context: '/clinic',
      sessions: 'memory',
      servlet: 'javax',
    });
  });
  it('is asked within its context, where nothing else is said', () => {
    expect(manifest({ context: '/clinic' }).health.path).toBe('/clinic/');
    expect(manifest().health.path).toBe('/');
    expect(manifest({ context: '/clinic', health: { path: '/clinic/login' } }).health.path).toBe(
      '/clinic/login',
    );
  });
  it('may take longer to start than others, unless something else is said', () => {
    expect(manifest().health.within).toBe(120_000);
    expect(manifest({ health: { within: '30s' } }).health.within).toBe(30_000);
  });
  it.each([
    ['/', 'ROOT'],
    ['/iTrust2', 'iTrust2'],
    ['/a/b', 'a#b'],
  ])('is %s below webapps as %s', (context, folder) => {
    expect(contextFolder(context)).toBe(folder);
  });
  it('runs as processes with ports of their own', () => {
    expect(instancesOf(manifest({ instances: 2 }), 1, 'green').map(({ unit, port }) => [unit, port])).toEqual(
      [
        ['pipeline-clinic@green.service', 21048],
        ['pipeline-clinic@green-2.service', 21049],
      ],
    );
  });
});

describe('its unit', () => {
  const text = unitFile(manifest({ memory: '512M' }), 0, 'blue', 0);
  it('is that of every service, with what Java needs', () => {
    expect(text).toContain('ExecStart=/srv/clinic/blue/start\n');
    expect(text).toContain('Environment="PORT=21000"\n');
    expect(text).toContain('WorkingDirectory=/var/lib/pipeline-apps/clinic\n');
    expect(text).toContain(`MemoryMax=${512 * 2 ** 20}\n`);
    expect(text).toContain('SuccessExitStatus=143\n');
    expect(text).not.toContain('NODE_ENV');
  });
});

describe('its settings', () => {
  const files = (sessions: 'shared' | 'memory') =>
    tomcatFiles('clinic', { context: '/', sessions, servlet: null });
  it('keep sessions on the disk, or in the process', () => {
    const shared = files('shared')['tomcat/conf/context.xml'];
    expect(shared).toContain('org.apache.catalina.valves.PersistentValve');
    expect(shared).toContain('directory="/var/lib/pipeline-apps/clinic/sessions"');
    expect(files('memory')['tomcat/conf/context.xml']).not.toContain('Persistent');
  });
  it('open one port on the loopback address, and tell no version', () => {
    const server = files('shared')['tomcat/conf/server.xml'] ?? '';
    expect(server.match(/<Connector/g)).toHaveLength(1);
    expect(server).toContain('address="127.0.0.1"');
    expect(server).toContain('<Server port="-1">');
    expect(server).toContain('showServerInfo="false"');
  });
});

describe('its start', () => {
  it.each([
    [{}, 25],
    [{ instances: 2 }, 12.5],
    [{ memory: '1G' }, 50],
  ])('with %j gives the heap %d per cent', (more, share) => {
    expect(tomcatStart(manifest(more))).toContain(`\nheap=${share.toFixed(1)}\n`);
  });
  it('ends a Tomcat that gives its application up while it starts, and none that says so later', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-tomcat-'));
    const start = (log: readonly string[]) => {
      const lines = log.map((line) => `echo "${line}"`).join('; ');
      writeFileSync(join(folder, 'java'), `#!/bin/bash\n${lines}; sleep 0.5; echo served\n`, { mode: 0o755 });
      const text = tomcatStart(manifest())
        .replace(/^if \[ ! -e [\s\S]*?^fi$|^\. .*$/gm, '')
        .replace('"$JAVA_HOME/bin/java"', join(folder, 'java'))
        .replaceAll(/\$(JAVA|CATALINA)_OPTS/g, '');
      return spawnSync('bash', ['-c', text], { encoding: 'utf8', env: { ...process.env, PORT: '1' } });
    };
    const failed = 'Context [/clinic] startup failed due to previous errors';
    try {
      expect(start([failed, 'Server startup in [9] milliseconds'])).toMatchObject({ signal: 'SIGTERM' });
      expect(start(['Server startup in [9] milliseconds', failed])).toMatchObject({
        status: 0,
        stdout: `Server startup in [9] milliseconds\n${failed}\nserved\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
