import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import type { Manifest, ManifestHealth } from '../../src/contract/manifest.ts';
import { networkOf, portOf, releaseName, slotOf, systemUser } from '../../src/contract/places.ts';
import { auditCommand } from '../../src/environment/audit.ts';
import { siteOf } from '../../src/release/front/site.ts';
import { checkScript } from '../../src/release/order/check.ts';
import { environmentFile, instancesOf, startScript, unitFile } from '../../src/release/order/unit.ts';

const health: ManifestHealth = {
  method: 'GET',
  path: '/',
  headers: {},
  body: null,
  status: [],
  contains: null,
  within: 30_000,
  timeout: 1_000,
  consecutive: 3,
};
const manifest: Manifest = {
  app: 'checkbox.io',
  release: '20261123-041500-05c965f',
  commit: '05c965f4114b9c43551b437375196028117fda87',
  ref: 'master',
  subject: 'documentation.',
  at: '2026-11-23T04:15:00.000Z',
  by: 'me@here',
  artifact: 'a'.repeat(64),
  tree: 'tree',
  runtime: 'node',
  node: '20.11.1',
  start: 'node index.js',
  directory: 'server',
  instances: 1,
  portVariable: 'APP_PORT',
  fixedPort: null,
  memory: 256 * 2 ** 20,
  health,
  drain: 30_000,
  probation: 0,
  hooks: { beforeCutOver: null, afterDeploy: null },
};

describe('names and numbers', () => {
  it.each([
    ['checkbox', 'app-checkbox'],
    ['checkbox.io', /^app-checkbox-io-[0-9a-f]{4}$/],
    ['checkbox-io', 'app-checkbox-io'],
    ['iTrust', /^app-itrust-[0-9a-f]{4}$/],
    ['a'.repeat(41), /^app-a{23}-[0-9a-f]{4}$/],
  ])('%s runs as %s', (app, user) => {
    expect(systemUser(app)).toMatch(user);
    expect(systemUser(app).length).toBeLessThanOrEqual(32);
  });

  it('gives every instance of every application a port and a network of its own', () => {
    const ports = [0, 1, 279].flatMap((slot) =>
      (['blue', 'green'] as const).flatMap((colour) =>
        Array.from({ length: 16 }, (_, index) => portOf(slot, colour, index)),
      ),
    );
    expect(new Set(ports).size).toBe(96);
    expect(Math.max(...ports)).toBeLessThan(30_000);
    expect(
      ports.map((port) => slotOf(port)).every((slot) => slot !== undefined && [0, 1, 279].includes(slot)),
    ).toBe(true);
    expect(slotOf(8080)).toBeUndefined();
    const addresses = ports.flatMap((port) => {
      const { gateway, address, link } = networkOf('a', 'blue', port);
      expect(link.length).toBeLessThanOrEqual(15);
      return [gateway, address];
    });
    expect(new Set(addresses).size).toBe(192);
    expect(addresses.every((address) => address.startsWith('198.18.'))).toBe(true);
    expect(networkOf('a', 'blue', portOf(1, 'green', 2))).toMatchObject({
      gateway: '198.18.0.201',
      address: '198.18.0.202',
    });
  });

  it('names releases so that they sort by age', () => {
    expect(releaseName(new Date('2026-01-02T03:04:05.678Z'), '05c965f4114b')).toBe('20260102-030405-05c965f');
  });
});

describe('the unit of an instance', () => {
  const text = unitFile(manifest, 3, 'green', 0);
  it('is the same for the next release in this colour', () => {
    expect(unitFile({ ...manifest, release: '20270101-000000-abcdef0', node: '22.1.0' }, 3, 'green', 0)).toBe(
      text,
    );
  });
  it.each([
    'User=app-checkbox-io-',
    'WorkingDirectory=/srv/checkbox.io/green/app/server',
    'ExecStart=/srv/checkbox.io/green/start',
    'EnvironmentFile=/srv/checkbox.io/green/env',
    '"APP_PORT=21112"',
    'Restart=always',
    'MemoryMax=268435456',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'PrivateTmp=yes',
    'CapabilityBoundingSet=\n',
    'LimitNOFILE=',
    'LogRateLimitBurst=',
  ])('says %s', (line) => {
    expect(text).toContain(line);
  });
  it('gives an instance whose port is fixed a network of its own', () => {
    const fixed = { ...manifest, fixedPort: 3000 };
    const [instance] = instancesOf(fixed, 3, 'green');
    expect(instance).toMatchObject({
      address: '198.18.1.194',
      port: 3000,
      network: 'pipeline-network@checkbox.io-green.service',
    });
    const own = unitFile(fixed, 3, 'green', 0);
    expect(own).toContain('BindsTo=pipeline-network@checkbox.io-green.service');
    expect(own).toContain('NetworkNamespacePath=/run/netns/pipeline-checkbox.io-green');
    expect(own).toContain('"APP_PORT=3000"');
  });
  it('has one for each instance', () => {
    expect(
      instancesOf({ ...manifest, instances: 3 }, 0, 'blue').map(({ unit, port }) => [unit, port]),
    ).toEqual([
      ['pipeline-checkbox.io@blue.service', 21_000],
      ['pipeline-checkbox.io@blue-2.service', 21_001],
      ['pipeline-checkbox.io@blue-3.service', 21_002],
    ]);
    expect(instancesOf({ ...manifest, runtime: 'static' }, 0, 'blue')).toEqual([]);
  });
});

describe('the start command', () => {
  it.each([
    ['node index.js', 'exec node index.js'],
    ['node --max-old-space-size=200 "my app.js"', 'exec node --max-old-space-size=200 "my app.js"'],
    ['next start', 'exec next start'],
    ['gunicorn --bind 127.0.0.1:$PORT app:app', 'exec gunicorn --bind 127.0.0.1:$PORT app:app'],
    ['flask db upgrade; gunicorn a:b', 'flask db upgrade; gunicorn a:b'],
    ['gunicorn $(cat options)', 'gunicorn $(cat options)'],
    ['NODE_ENV=test node a.js', 'NODE_ENV=test node a.js'],
    ['node a && node b', 'node a && node b'],
    ['node a.js > log', 'node a.js > log'],
    ['cd dist; node a.js', 'cd dist; node a.js'],
  ])('%s', (start, line) => {
    expect(startScript(start)).toBe(`#!/bin/sh\n${line}\n`);
  });
});

describe('the environment file', () => {
  it('quotes as systemd reads', () => {
    expect(environmentFile({ B: 'a "b" $c `d` \\e', A: "it's = # fine" })).toBe(
      'A="it\'s = # fine"\nB="a \\"b\\" \\$c \\`d\\` \\\\e"\n',
    );
  });
});

describe('the health check', () => {
  const answers: Record<string, { status: number; body: string; delay?: number }> = {
    '/ok': { status: 200, body: '{"preview": "<h1>it\'s $HOME</h1>"}' },
    '/broken': { status: 500, body: 'oops' },
    '/missing': { status: 404, body: 'no such page' },
    '/late': { status: 200, body: 'late', delay: 3_000 },
  };
  const asked: { method?: string | undefined; body: string; header?: string | string[] | undefined }[] = [];

  async function check(change: Partial<ManifestHealth>, address?: string) {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        asked.push({ method: request.method, body, header: request.headers['x-test'] });
        const answer = answers[request.url ?? ''] ?? { status: 200, body: request.url ?? '' };
        setTimeout(() => response.writeHead(answer.status).end(answer.body), answer.delay ?? 0);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-check-'));
    try {
      writeFileSync(join(folder, 'check'), checkScript({ ...health, ...change }), { mode: 0o755 });
      const port = (server.address() as AddressInfo).port;
      const args = [address ?? `127.0.0.1:${port}`];
      const { stdout, code } = await promisify(execFile)(join(folder, 'check'), args).then(
        (done) => ({ ...done, code: 0 }),
        (error) => error as { stdout: string; code: number },
      );
      return [code, stdout.trim()];
    } finally {
      rmSync(folder, { recursive: true, force: true });
      server.closeAllConnections();
      server.close();
    }
  }

  it.each([
    [{ path: '/ok' }, [0, 'GET /ok → 200']],
    [{ path: '/missing' }, [0, 'GET /missing → 404']],
    [{ path: '/broken' }, [1, 'GET /broken → 500, wanted below 500']],
    [{ path: '/missing', status: [200, 204] }, [1, 'GET /missing → 404, wanted 200 or 204']],
    [{ path: '/ok', contains: `"<h1>it's $HOME</h1>"` }, [0, 'GET /ok → 200']],
    [{ path: '/ok', contains: 'survey [x]*' }, [1, 'GET /ok → 200, but the body lacks "survey [x]*"']],
    [{ path: '/ok', method: 'HEAD' }, [0, 'HEAD /ok → 200']],
    [
      { path: '/late', timeout: 300 },
      [1, expect.stringMatching(/^GET \/late → no answer within 0\.3 s on 127/)],
    ],
    [{ path: "/it's?a=$b&c=*" }, [0, "GET /it's?a=$b&c=* → 200"]],
  ])('%j', async (change, expected) => {
    expect(await check(change)).toEqual(expected);
  });

  it('sends method, headers and body as they are', async () => {
    const body = `@{"a": "it's $HOME \`id\`"}\n`;
    await check({ method: 'POST', body, headers: { 'x-test': `"quoted" $x` } });
    expect(asked.at(-1)).toEqual({ method: 'POST', body, header: '"quoted" $x' });
  });

  it('tells that nothing answers', async () => {
    expect(await check({}, '127.0.0.1:1')).toEqual([2, 'GET / → nothing answers on 127.0.0.1:1']);
  });
});

it('a fallback that could never answer is refused', () => {
  const definition = appSchema.parse({
    source: 'x',
    hosts: ['web'],
    site: { static: 'dist', fallback: 'index.html' },
  });
  const of = (definitionOf: typeof definition) =>
    siteOf('shop', definitionOf, 3, { blue: manifest, green: manifest }, { balancers: [] });
  expect(() => of(definition)).toThrow('site: fallback: never answers');
  const { site } = definition;
  expect(of({ ...definition, site: { ...site, routes: ['/api'] } })).toMatchObject({
    fallbackPage: 'index.html',
  });
});

it('the audit log is one line of JSON, whatever it says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-audit-'));
  const by = `it's "quoted" $HOME \`id\` \\ end\nsecond line`;
  const entry = { at: 'now', by, action: 'deploy', result: 'live' };
  try {
    const command = auditCommand(entry).replaceAll('/var/log/pipeline', folder);
    execFileSync('bash', ['-c', `${command}; ${command}`]);
    const file = `${folder}/audit.jsonl`;
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([entry, entry]);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
