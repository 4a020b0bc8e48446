import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { productionSpec } from '../../src/environment/environment.ts';

/** What should exist for a configuration without mistakes. */
function machines(config: object) {
  const values = configSchema.parse({ project: 'shop', ...config });
  return productionSpec({ ...values, path: '/shop/pipeline.yml', directory: '/shop' }).machines;
}

const service = { source: '.', hosts: ['web'] };

describe('an entry of hosts becomes', () => {
  it('one machine of its own name', () => {
    expect(machines({ hosts: { web: {} } }).map(({ name, group }) => [name, group])).toEqual([
      ['web', 'web'],
    ]);
  });

  it('with a count, numbered members of one group', () => {
    expect(machines({ hosts: { web: { count: 3 } } }).map(({ name, group }) => [name, group])).toEqual([
      ['web-1', 'web'],
      ['web-2', 'web'],
      ['web-3', 'web'],
    ]);
  });
});

it('a machine has the Debian packages of its applications, and those of the languages that they name', () => {
  const apps = {
    a: { ...service, packages: ['ffmpeg'] },
    b: { ...service, runtime: 'python', packages: ['libpq5', 'ffmpeg'], site: { port: 81 } },
    c: { ...service, hosts: ['other'], packages: ['imagemagick'] },
  };
  const [web, other] = machines({ hosts: { web: {}, other: {} }, apps });
  expect(web?.packages).toEqual(['ffmpeg', 'python3', 'python3-venv', 'libpq5']);
  expect(other?.packages).toEqual(['imagemagick']);
});

describe('a machine opens', () => {
  const ports = (config: object) => machines(config)[0]?.exposures.map(({ port, from }) => `${port} ${from}`);

  it('SSH for operators, and nothing else where it serves nothing', () => {
    expect(ports({ hosts: { web: {} } })).toEqual(['22 operators']);
  });

  it('the port of every site that it serves', () => {
    const shop = { ...service, site: { port: 8080 } };
    expect(ports({ hosts: { web: {} }, apps: { shop } })).toEqual(['22 operators', '8080 anyone']);
  });

  it('443 where a site has a certificate', () => {
    const shop = { ...service, site: { tls: { certificate: 'a.pem', key: 'b.pem' } } };
    expect(ports({ hosts: { web: {} }, apps: { shop } })).toEqual([
      '22 operators',
      '80 anyone',
      '443 anyone',
    ]);
  });
});

describe('behind a balancer', () => {
  const shop = { ...service, site: { balancer: 'front', tls: { certificate: 'a.pem', key: 'b.pem' } } };
  const hosts = { web: { roles: ['nginx'] }, front: { roles: ['nginx'] } };
  const ports = (apps: object) =>
    machines({ hosts, apps }).map(({ exposures }) => exposures.map(({ port, from }) => `${port} ${from}`));

  it('sites are for the fleet alone, and visitors come to the balancer', () => {
    expect(ports({ shop })).toEqual([
      ['22 operators', '80 fleet'],
      ['22 operators', '80 anyone', '443 anyone'],
    ]);
  });

  it('a host that serves others directly too is open for these', () => {
    expect(ports({ shop, direct: { ...service, site: { port: 8080 } } })[0]).toEqual([
      '22 operators',
      '80 anyone',
      '80 fleet',
      '443 anyone',
      '8080 anyone',
    ]);
  });
});

describe('what Node services need is on a host that serves', () => {
  it.each([
    ['a Node service', { runtime: 'node' }, ['nginx', 'node-service']],
    ['what its repository will say', {}, ['nginx', 'node-service']],
    ['a Tomcat application', { runtime: 'tomcat' }, ['nginx', 'node-service']],
  ])('%s', (_title, extra, roles) => {
    const apps = { shop: { ...service, ...extra } };
    expect(machines({ hosts: { web: { roles: ['nginx'] } }, apps })[0]?.roles).toEqual(roles);
  });
});

it('the owner mark is the id, else follows from the name alone', () => {
  const owner = (extra: object) =>
    productionSpec({
      ...configSchema.parse({ project: 'shop', hosts: {}, ...extra }),
      path: '',
      directory: '',
    }).owner;
  expect(owner({ id: 'abcdef123456' })).toBe('abcdef123456');
  expect(owner({})).toBe(owner({}));
  expect(owner({})).not.toBe(owner({ project: 'other' }));
});
