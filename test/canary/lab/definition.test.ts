import { describe, expect, it } from 'vitest';
import {
  checkLabApp,
  labConfig,
  labEnvironmentOf,
  labMemory,
  needsRelease,
} from '../../../src/canary/lab/definition.ts';
import { type AppConfig, type Config, configSchema } from '../../../src/config/schema.ts';

function configOf(app: Record<string, unknown>): { readonly config: Config; readonly definition: AppConfig } {
  const values = configSchema.parse({
    project: 'test',
    hosts: { web: {}, db: {} },
    apps: { shop: { source: 'x', hosts: ['web'], ...app } },
  });
  const config = { ...values, path: '/p/pipeline.yml', directory: '/p' };
  const definition = config.apps.shop;
  if (definition === undefined) throw new Error('the shop is there');
  return { config, definition };
}

describe('how the laboratory deploys an application', () => {
  it.each([
    ['a single Node service', {}, 'node', false],
    ['another runtime', {}, 'command', true],
    ['a database', { databases: { orders: { engine: 'mariadb', name: 'shop' } } }, 'node', true],
    ['a worker', { processes: { worker: { run: 'node worker.js' } } }, 'node', true],
    ['files', { site: { static: 'public' } }, 'node', true],
    ['a migration', { hooks: { before_cut_over: 'node migrate.js' } }, 'node', true],
  ] as const)('%s', (_, app, runtime, wanted) => {
    expect(needsRelease(configOf(app).definition, [{ runtime }])).toBe(wanted);
  });

  it('puts databases beside the application, takes what stands in front away, and runs nothing by the clock', () => {
    const { config, definition } = configOf({
      databases: { orders: { engine: 'mariadb', name: 'shop', host: 'db' } },
      secrets: { TOKEN: { generate: 20 } },
      site: { domains: ['shop.example.org'], tls: { certificate: 'c.pem', key: 'k.pem' }, port: 8080 },
      jobs: { nightly: { run: 'true', every: '24h' } },
      health: { status: 200, contains: 'well' },
    });
    const own = labConfig(config, 'shop', definition).apps.shop;
    expect(own).toMatchObject({
      site: { domains: [], port: 8080 },
      databases: { orders: { engine: 'mariadb', backups: 0 } },
      jobs: {},
      watch: 0,
      secrets: {
        TOKEN: { env: 'PIPELINE_LAB_TOKEN' },
        ORDERS_PASSWORD: { env: 'PIPELINE_LAB_ORDERS_PASSWORD' },
      },
    });
    expect(own?.site.tls).toBeUndefined();
    expect(own?.databases.orders?.host).toBeUndefined();
    expect(own?.health.status).toEqual(expect.arrayContaining([200, 404, 503]));
    expect(own?.health.contains).toBeUndefined();
    expect(labEnvironmentOf({ TOKEN: 'x' })).toEqual({ PIPELINE_LAB_TOKEN: 'x' });
  });

  it('gives Java and a database the memory that they need', () => {
    const mib = (app: Record<string, unknown>, runtime: 'node' | 'tomcat') =>
      labMemory(configOf(app).definition, [{ runtime }]) / 2 ** 20;
    expect(mib({}, 'node')).toBe(512);
    expect(mib({ databases: { orders: { engine: 'mariadb', name: 'shop' } } }, 'tomcat')).toBe(2048);
  });

  it('says that a fixed port does not reach a database on the same host', () => {
    const { definition } = configOf({
      fixed_port: 3000,
      databases: { orders: { engine: 'mariadb', name: 'shop', host: 'db' } },
    });
    expect(() => checkLabApp('shop', definition)).toThrow(/fixed_port/);
  });
});
