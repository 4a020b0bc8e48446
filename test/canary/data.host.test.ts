/** A canary of an application with a database: both sides hold what production held. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CanaryReport } from '../../src/report/document.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { projectFolder, run, runJson } from '../support/program.ts';
import { makeRepository } from '../support/repository.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined)
  process.stderr.write(`test/canary/data.host.test.ts skipped: ${unavailable}\n`);

/** Answers with the orders; fails where production's own is not among them. */
const SERVICE = `import os, pymysql
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def orders():
    at = pymysql.connect(host=os.environ['MAIN_HOST'], user=os.environ['MAIN_USER'],
        password=os.environ['MAIN_PASSWORD'], database=os.environ['MAIN_DATABASE'], connect_timeout=3)
    with at, at.cursor() as ask:
        ask.execute('SELECT COLUMN FROM orders ORDER BY id')
        return [row[0] for row in ask.fetchall()]

class Shop(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        found = [] if self.path == '/ready' else orders()
        status = 200 if self.path == '/ready' or 'of a visitor' in found else 500
        body = ', '.join(found).encode()
        self.send_response(status)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Shop).serve_forever()
`;
const service = (column: string) => ({ 'server.py': SERVICE.replace('COLUMN', column) });

describe.skipIf(unavailable !== undefined)("a canary with production's data", () => {
  const project = projectFolder(`
project: data-${randomBytes(3).toString('hex')}
id: ${randomBytes(6).toString('hex')}
hosts: { web: { roles: [nginx], memory: 768M } }
apps:
  shop:
    source: ./shop
    hosts: [web]
    runtime: command
    packages: [python3, python3-pymysql]
    start: python3 server.py
    watch: 0s
    databases: { main: { engine: mariadb, name: shop, seed: [seed.sql] } }
    health: { path: /ready, status: 200, within: 60s }
    canary: { requests: [{ path: / }], rate: 30 }
`);
  const here = { cwd: project.path };
  const good = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(args, here);
    expect(exitCode, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const canary = async (candidate: string, ...more: string[]) => {
    const ended = await runJson(['canary', 'v1', candidate, '--app', 'shop', '--seed', '1', ...more], here);
    const { files } = ended.json as { readonly files: { readonly json: string } };
    const text = readFileSync(join(project.path, files.json), 'utf8');
    return { exitCode: ended.exitCode, report: JSON.parse(text) as CanaryReport };
  };

  beforeAll(async () => {
    const seed =
      'CREATE TABLE orders (id INT PRIMARY KEY, whose TEXT);\nINSERT INTO orders VALUES (1, "of the seed");\n';
    makeRepository(join(project.path, 'shop'), {
      v1: { ...service('whose'), 'seed.sql': seed },
      same: { 'README.md': 'A shop.' },
      wrong: service('paid'),
    });
    await good('prod', 'up');
    await good('deploy', 'shop', 'v1');
    await good('prod', 'ssh', 'web', '--', `mariadb shop -e "INSERT INTO orders VALUES (2, 'of a visitor')"`);
    // A deploy makes a backup first.
    await good('deploy', 'shop', 'same');
  });
  afterAll(() => project.remove());

  it('fills both sides with the newest backup', async () => {
    const { exitCode, report } = await canary('same', '--data', 'backup', '--duration', '10s');
    expect(exitCode, JSON.stringify(report.verdict)).not.toBe(5);
    const status = (kind: '2xx' | '5xx') =>
      report.experiment.seconds
        .flatMap(({ baseline, candidate }) => [baseline, candidate])
        .reduce((sum, { routes }) => sum + (routes['GET /']?.status[kind] ?? 0), 0);
    expect(status('2xx')).toBeGreaterThan(100);
    expect(status('5xx')).toBe(0);
    expect(report.load?.failed).toBe(0);
  });

  it('rejects a version that does not know what the data has', async () => {
    const { exitCode, report } = await canary('wrong', '--data', 'backup');
    expect(exitCode).toBe(5);
    expect(report.verdict.decidedBy).toContain('errors (5xx)');
  });

  it("leaves production's data alone", async () => {
    expect(await good('prod', 'ssh', 'web', '--', 'mariadb shop -Ne "SELECT whose FROM orders"')).toBe(
      'of the seed\nof a visitor\n',
    );
  });
});
