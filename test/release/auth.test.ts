import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { authFile, keptAuth, readAuth } from '../../src/release/front/auth.ts';
import { readCertificate } from '../../src/release/front/certificate.ts';
import { sha512Crypt } from '../../src/release/front/crypt.ts';
import { siteWith } from '../../src/release/front/host-site.ts';
import { siteOrder } from '../../src/release/order/order.ts';
import { facts, kept, recorded } from './support.ts';

const definition = (site: object) => appSchema.parse({ source: 'x', hosts: ['web'], site });
const guarded = definition({ auth: { ann: { env: 'STAGING' } } });
const at = (auth: readonly string[]) => ({
  host: { name: 'web', connection: recorded('web', [], () => new Error('not asked')) },
  facts: facts({ auth }),
  slot: 0,
});
const site = (auth: readonly string[], edge: Parameters<typeof siteWith>[5]) =>
  siteOrder(siteWith('app', guarded, at(auth), kept('one').manifest, 'blue', edge), undefined);

describe('passwords of a site', () => {
  it.each([
    ['x', 'salt'],
    ['Hello world!', 'saltstring'],
    [
      'a very much longer text to encrypt.  This one even stretches over more than one block'.repeat(2),
      'anotherlongsalts',
    ],
    ['schönes Wort', './aZ09'],
  ])('are hashed as crypt(3) does: %j', (password, salt) => {
    const known = execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], {
      input: `${password}\n`,
    });
    expect(sha512Crypt(password, salt)).toBe(known.toString().trim());
  });

  it('give the same file each time, another one for another password, and show none', () => {
    const one = authFile('app', { bob: 'secret', ann: 'other' });
    expect(authFile('app', { ann: 'other', bob: 'secret' })).toEqual(one);
    expect(authFile('app', { ann: 'other', bob: 'Secret' }).name).not.toBe(one.name);
    expect(one.text).toMatch(/^ann:\$6\$[./\w]{16}\$[./\w]{86}\nbob:\$6\$/);
    expect(one.text).not.toContain('secret');
  });

  it('are asked for on the way forward, all that are missing at once', async () => {
    const reading = readAuth('app', guarded, '/', quietContext({ env: {} }));
    await expect(reading).rejects.toMatchObject({
      kind: 'usage',
      output: [expect.stringContaining('STAGING')],
    });
    const read = await readAuth('app', guarded, '/', quietContext({ env: { STAGING: 'x' } }));
    const { text, auth } = site([], { auth: read, balancers: [] });
    expect(text).toContain(`auth_basic_user_file ${auth?.path};`);
    expect(text).toContain('proxy_set_header Authorization "";');
    expect(auth).toEqual({ path: `/etc/pipeline/apps/app/auth/${read?.name}`, text: read?.text });
  });

  it('stay what they are on the way back, and never open a site', () => {
    const { text, auth } = site(['abc'], { balancers: [] });
    expect(text).toContain('auth_basic_user_file /etc/pipeline/apps/app/auth/abc;');
    expect(auth).toBeNull();
    expect(() => site([], { balancers: [] })).toThrow('web has no passwords');
    expect(keptAuth('app', 'web', definition({}), ['abc'])).toBeUndefined();
  });
});

describe('a wildcard among the domains', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-wildcard-'));
  const certified = (names: string, domains: string[]) => {
    const subject = ['-subj', '/CN=x', '-addext', `subjectAltName=${names}`];
    const out = ['-keyout', join(folder, 'k.pem'), '-out', join(folder, 'c.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...out], {
      stdio: 'ignore',
    });
    const tls = { certificate: 'c.pem', key: 'k.pem' };
    return readCertificate('app', definition({ domains, tls }), folder, new Date(Date.now() + 60_000));
  };

  it('needs a certificate that covers it', async () => {
    writeFileSync(join(folder, 'c.pem'), '');
    const both = ['shop.example', '*.shop.example'];
    expect(await certified('DNS:shop.example,DNS:*.Shop.example', both)).toMatchObject({ kind: 'given' });
    await expect(certified('DNS:shop.example', both)).rejects.toThrow(
      'the certificate does not cover *.shop.example: it is for shop.example',
    );
    rmSync(folder, { recursive: true });
  });
});
