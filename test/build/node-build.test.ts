import { describe, expect, it } from 'vitest';
import { buildEnvironment, buildSteps, type Installation } from '../../src/build/node-build.ts';

const installation = (more: Partial<Installation>): Installation => ({
  directory: '',
  node: { range: '20', preferLts: true, from: '.nvmrc' },
  lockFolder: '',
  lockfileVersion: 3,
  ownInstallScripts: false,
  build: null,
  ...more,
});
const commands = (more: Partial<Installation>, npm = 10) =>
  buildSteps(installation(more), npm).map(({ argv, folder }) => `${folder}: ${argv.join(' ')}`);

describe('the commands of a build', () => {
  it('installs what production needs, and no more', () => {
    expect(commands({})).toEqual([': npm ci --omit=dev']);
  });
  it('has development dependencies for the build alone', () => {
    expect(commands({ build: 'npm run build', directory: 'api' })).toEqual([
      ': npm ci --include=dev',
      'api: sh -c npm run build',
      ': npm prune --omit=dev --ignore-scripts',
    ]);
  });
  it("has them for the package's own install scripts too", () => {
    expect(commands({ ownInstallScripts: true, lockFolder: 'a' })).toEqual([
      'a: npm ci --include=dev',
      'a: npm prune --omit=dev --ignore-scripts',
    ]);
  });
  it('speaks npm 6', () => {
    expect(commands({ build: 'make' }, 6)).toEqual([
      ': npm ci --also=development',
      ': sh -c make',
      ': npm prune --production --ignore-scripts',
    ]);
  });
  it('installs nothing where there is nothing to install', () => {
    expect(commands({ lockFolder: null })).toEqual([]);
    expect(commands({ lockFolder: null, build: 'make' })).toEqual([': sh -c make']);
  });
});

describe('the environment of a build', () => {
  const env = buildEnvironment(
    {
      PATH: '/bin',
      HOME: '/home/me',
      NPM_TOKEN: 't',
      https_proxy: 'http://p',
      npm_config_registry: 'https://r',
      NODE_EXTRA_CA_CERTS: '/ca',
      NODE_ENV: 'production',
      NODE_OPTIONS: '--inspect',
      npm_package_name: 'pipeline',
      npm_lifecycle_event: 'demo',
      LANG: 'de_DE',
      LC_MESSAGES: 'de_DE',
    },
    '/cache/node',
    '/cache/npm/bin',
    '/etc/npmrc',
  );
  it('has what the user needs: tokens, proxies, certificates', () => {
    expect(env).toMatchObject({
      HOME: '/home/me',
      NPM_TOKEN: 't',
      https_proxy: 'http://p',
      npm_config_registry: 'https://r',
      NODE_EXTRA_CA_CERTS: '/ca',
    });
  });
  it('has the chosen Node and npm first, and nothing of the Node around it', () => {
    expect(env.PATH).toBe('/cache/npm/bin:/cache/node/bin:/bin');
    for (const name of [
      'NODE_ENV',
      'NODE_OPTIONS',
      'npm_package_name',
      'npm_lifecycle_event',
      'LANG',
      'LC_MESSAGES',
    ]) {
      expect(env).not.toHaveProperty(name);
    }
    expect(env).toMatchObject({ LC_ALL: 'C.UTF-8', TZ: 'UTC', npm_config_nodedir: '/cache/node' });
  });
});
