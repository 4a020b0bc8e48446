import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeAuthority, startAuthority } from '../fakes/acme.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(
  `certificates by ACME, with dehydrated (${unavailable ?? 'local'})`,
  () => {
    let at: ReleaseFixture;
    let authority: FakeAuthority;
    let leadsTo: string | undefined;

    beforeAll(async () => {
      at = await startReleases(['web']);
      const route = execFileSync('ip', ['-o', 'route', 'get', at.addresses[0] ?? ''], { encoding: 'utf8' });
      authority = await startAuthority(/ src (\S+)/.exec(route)?.[1] ?? '', () => leadsTo);
    });
    afterAll(async () => {
      await authority?.stop();
      await at?.stop();
    });

    const site = (domains = ['shop.example', 'www.shop.example']) => ({
      site: { domains, tls: { acme: { email: 'ann@example.com', directory: authority.directory } } },
    });
    const renew = () =>
      at.on(
        `systemctl start pipeline-acme@${APP}.service
cat /etc/pipeline/apps/${APP}/acme/reason 2>/dev/null
true`,
      );
    const reloads = () =>
      at.on("journalctl -u nginx.service -o cat | grep -c '^Reloaded' || true").then(Number);

    /** The certificate that visitors get. */
    function presented(): Promise<X509Certificate> {
      return new Promise((resolve, reject) => {
        const options = {
          host: at.addresses[0] ?? '',
          port: 443,
          servername: 'shop.example',
          rejectUnauthorized: false,
        };
        const socket = connect(options, () => {
          const certificate = socket.getPeerX509Certificate();
          socket.destroy();
          if (certificate === undefined) reject(new Error('no certificate'));
          else resolve(certificate);
        });
        socket.on('error', reject);
      });
    }
    const issuer = async () => (await presented()).issuer;
    const plain = () =>
      at.on(
        "curl -s -H 'Host: shop.example' -w ' %{http_code} %{redirect_url}' http://127.0.0.1/ | tail -n 1",
      );

    test('while none comes, the site serves with its own, redirects nobody; deploy says why', async () => {
      const failure = await failureOf(at.deploy('one', site()));
      expect(failure).toMatchObject({ kind: 'host', host: 'web', step: 'certificate' });
      const said = /^web: demo\.app is live, without a certificate: http:\/\/shop\.example\//;
      expect(failure.message).toMatch(said);
      expect(failure.message).toMatch(/\/\.well-known\/\S+: no address for shop\.example$/);
      expect(failure.next).toContain('Point shop.example, www.shop.example to');
      expect(await issuer()).toBe('CN=shop.example');
      expect(await plain()).toBe('version one 0 200 ');
      expect(await at.on(`systemctl is-failed pipeline-acme@${APP}.service`)).toContain('failed');
    });

    test('the same deploy again gets it, for all names, and visitors are sent to https', async () => {
      leadsTo = at.addresses[0];
      expect(await at.deploy('one', site())).toMatchObject({ changed: true });
      const certificate = await presented();
      expect(certificate.issuer).toBe('CN=Fake authority');
      expect(certificate.subjectAltName).toBe('DNS:shop.example, DNS:www.shop.example');
      expect(certificate.verify(new X509Certificate(authority.root).publicKey)).toBe(true);
      expect(await plain()).toContain(' 301 https://shop.example/');
      expect(await at.deploy('one', site())).toMatchObject({ changed: false });
      expect(await at.on(`systemctl is-enabled pipeline-acme@${APP}.timer`)).toContain('enabled');
      const modes = await at.on(
        `cd /etc/pipeline/apps/${APP} && find -L tls acme -name '*.pem' -path '*priv*' -perm /077`,
      );
      expect(modes).toBe('');
    });

    test('asks nobody and reloads nothing before it is due; then renews, with one reload', async () => {
      const [orders, before] = [authority.orders, await reloads()];
      await renew();
      expect([authority.orders, await reloads()]).toEqual([orders, before]);
      const { serialNumber } = await presented();
      authority.days = 1;
      await at.on(`rm -r /etc/pipeline/apps/${APP}/acme/certs`);
      await renew();
      const short = await presented();
      expect(short.serialNumber).not.toBe(serialNumber);
      authority.days = 90;
      await renew();
      expect((await presented()).serialNumber).not.toBe(short.serialNumber);
      expect(await reloads()).toBe(before + 2);
      expect(authority.orders).toBe(orders + 2);
    });

    test('another name gets another certificate; where that fails, the one that is there stays', async () => {
      const { serialNumber } = await presented();
      leadsTo = undefined;
      const names = site(['shop.example', 'new.shop.example']);
      expect(await failureOf(at.deploy('one', names))).toMatchObject({ step: 'certificate' });
      expect((await presented()).serialNumber).toBe(serialNumber);
      leadsTo = at.addresses[0];
      await at.deploy('one', names);
      expect((await presented()).subjectAltName).toContain('DNS:new.shop.example');
      // It serves the next release, too, which needs no question.
      const orders = authority.orders;
      await at.deploy('two', names);
      expect(authority.orders).toBe(orders);
      expect(await issuer()).toBe('CN=Fake authority');
    });

    test('an authority that does not answer is named', async () => {
      const tls = { acme: { directory: 'http://127.0.0.1:9/directory' } };
      const failure = await failureOf(at.deploy('two', { site: { domains: ['shop.example'], tls } }));
      expect(failure.message).toContain('Problem connecting to server (get for http://127.0.0.1:9/directory');
      expect(failure.next).toContain('Check that web can reach http://127.0.0.1:9/directory');
      expect(await issuer()).toBe('CN=Fake authority');
    });
  },
);
