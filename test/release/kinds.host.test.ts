// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a template with such names is what is tested
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hostsUnavailable } from '../support/hosts.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable();

describe.skipIf(unavailable !== undefined)(
  `kinds of applications on a real host (${unavailable ?? 'local'})`,
  () => {
    let at: ReleaseFixture;

    beforeAll(async () => {
      at = await startReleases(['web']);
    });
    afterEach(() => at.clean());
    afterAll(() => at?.stop());

    test('a service that takes one port only: versions run side by side in their own networks', async () => {
      const fixed = { fixed_port: 3000 };
      await at.deploy('fixed', fixed);
      expect((await at.ask('/')).text).toBe('version fixed 0');
      await at.deploy('fixed-too', fixed);
      expect((await at.ask('/')).text).toBe('version fixed-too 0');
      await at.rollback(undefined, fixed);
      expect((await at.ask('/')).text).toBe('version fixed 0');
      // The host's port is free, the network of the version that left is gone, and the world can be reached.
      expect((await at.on('ss -Hltn sport = :3000')).trim()).toBe('');
      const namespaces = (await at.on('ip netns list'))
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]);
      expect(namespaces).toEqual([`pipeline-${APP}-blue`]);
      await at.on(
        `systemd-run --quiet --collect --unit outside \\
  python3 -m http.server 8099 --bind ${at.addresses[0]} && sleep 1`,
      );
      try {
        const inside = (command: string) => at.on(`ip netns exec pipeline-${APP}-blue ${command}`);
        const gateway = at.addresses[0]?.replace(/\.\d+$/, '.1');
        expect(
          await inside(
            `ping -c 1 -W 2 ${gateway} >/dev/null 2>&1 ||
  timeout 2 bash -c '</dev/tcp/${gateway}/1' 2>&1 || true`,
          ),
        ).not.toMatch(/unreachable/i);
        // The host itself stays closed to it.
        expect(
          await inside(`timeout 2 bash -c '</dev/tcp/${at.addresses[0]}/8099' && echo open || echo closed`),
        ).toContain('closed');
      } finally {
        await at.on('systemctl stop outside');
      }
    });

    test('several processes for one version, all of them asked before it serves', async () => {
      const result = await at.deploy('one', { instances: 3, memory: '64M' });
      expect(result.changed).toBe(true);
      const ports = new Set<string>();
      for (let i = 0; i < 12; i++) ports.add(JSON.parse((await at.ask('/env')).text).PORT);
      expect([...ports].sort()).toEqual(['21000', '21001', '21002']);
      await at.deploy('two', { instances: 1 });
      expect((await at.ask('/')).text).toBe('version two 0');
      expect(
        (await at.on(`ls /etc/systemd/system/multi-user.target.wants | grep '^pipeline-${APP}@'`)).trim(),
      ).toBe(`pipeline-${APP}@green.service`);
    });

    test('files that nginx serves change together with the service', async () => {
      const site = { static: 'public', routes: ['/api'] };
      await at.deploy('one', { site });
      expect((await at.ask('/')).text).toBe('<h1>one</h1>\n');
      expect((await at.ask('/api')).text).toBe('version one 0');
      await at.deploy('two', { site });
      expect((await at.ask('/')).text).toBe('<h1>two</h1>\n');
      expect((await at.ask('/api')).text).toBe('version two 0');
      const failure = await failureOf(at.deploy('three', { site: { ...site, static: 'dist' } }));
      expect(failure.message).toContain('the artifact has no folder dist');
      expect((await at.ask('/')).text).toBe('<h1>two</h1>\n');
    });

    test('files alone', async () => {
      const app = { runtime: 'static' as const, directory: 'public' };
      await at.deploy('one', app);
      expect((await at.ask('/')).text).toBe('<h1>one</h1>\n');
      await at.deploy('two', app);
      expect((await at.ask('/')).text).toBe('<h1>two</h1>\n');
      await at.rollback(undefined, app);
      expect((await at.ask('/site.css')).text).toBe('/* one */\n');
      expect(await at.deploy('one', app)).toMatchObject({ changed: false });
    });

    test('files laid over the artifact hold secrets, for the service alone', async () => {
      writeFileSync(join(at.folder, 'settings.template'), 'token=${TOKEN}\nname=${NAME}\n');
      const app = {
        files: { 'conf/settings.txt': 'settings.template' },
        secrets: { TOKEN: { generate: 20 } },
        env: { NAME: 'it\'s "me"' },
      };
      await at.deploy('one', app);
      const { TOKEN } = JSON.parse((await at.ask('/env')).text);
      expect((await at.ask('/file?path=conf/settings.txt')).text).toBe(`token=${TOKEN}\nname=it's "me"\n`);
      const mode = await at.on(`stat -c '%a %U %G' /srv/${APP}/releases/*/app/conf/settings.txt`);
      expect(mode).toMatch(/^640 root app-demo-app-[0-9a-f]{4}$/m);
      // The same files, another environment: nothing is sent again.
      const stages: string[] = [];
      const context = { ...at.context, progress: ({ stage }: { stage: string }) => stages.push(stage) };
      await at.deploy('one', { ...app, env: { ...app.env, MORE: 'yes' } }, { context });
      expect(stages).not.toContain('upload');
      expect(JSON.parse((await at.ask('/env')).text)).toMatchObject({ TOKEN, MORE: 'yes' });
    });

    test('https with a given certificate; a new one needs no new version', async () => {
      const make = (name: string) =>
        execFileSync(
          'openssl',
          [
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
            'key.pem',
            '-out',
            'chain.pem',
          ],
          { cwd: at.folder, stdio: 'pipe' },
        );
      const site = { tls: { certificate: 'chain.pem', key: 'key.pem' } };
      const get = () =>
        new Promise<{ status: number | undefined; name: string; hsts: unknown }>((resolve, reject) => {
          request(
            { host: at.addresses[0], port: 443, path: '/', rejectUnauthorized: false, agent: false },
            (answer) => {
              const name = (answer.socket as import('node:tls').TLSSocket).getPeerCertificate().subject
                .CN as string;
              answer.resume();
              resolve({ status: answer.statusCode, name, hsts: answer.headers['strict-transport-security'] });
            },
          )
            .on('error', reject)
            .end();
        });
      make('first.example');
      const first = await at.deploy('one', { site });
      expect(await get()).toEqual({ status: 200, name: 'first.example', hsts: 'max-age=31536000' });
      expect((await at.ask('/', { redirect: 'manual' })).status).toBe(301);
      make('second.example');
      const second = await at.deploy('one', { site });
      expect(second).toMatchObject({ changed: true, release: first.release });
      expect(await get()).toMatchObject({ status: 200, name: 'second.example' });
      expect((await at.on(`stat -c %a /etc/pipeline/apps/${APP}/tls/*.key | sort -u`)).trim()).toBe('600');
    });

    test('a second application without a domain on a port is refused; the first keeps serving', async () => {
      await at.deploy('one');
      const failure = await failureOf(at.deploy('two', {}, { name: 'other' }));
      expect(failure).toMatchObject({ kind: 'host', step: 'proxy' });
      expect(failure.output.join('\n')).toContain('duplicate default server');
      expect((await at.ask('/')).text).toBe('version one 0');
      await at.deploy('two', { site: { port: 8080 } }, { name: 'other' });
      expect((await at.ask('/')).text).toBe('version one 0');
      expect(await (await fetch(`http://${at.addresses[0]}:8080/`)).text()).toBe('version two 0');
    });

    test('no room on the host: said so, and the old version serves on', async () => {
      await at.deploy('one');
      await at.on(
        `mkdir -p /srv/full && mount -t tmpfs -o size=64k tmpfs /srv/full &&
  head -c 60000 /dev/zero >/srv/full/x
mkdir -p /srv/full/releases; mount --bind /srv/full/releases /srv/demo.app/releases`,
      );
      try {
        const failure = await failureOf(at.deploy('two'));
        expect(failure).toMatchObject({ kind: 'host', step: 'place' });
        expect(failure.message).toMatch(/could not be placed: .*No space left on device.* \(\S+ free\)/);
      } finally {
        await at.on('umount /srv/demo.app/releases; umount /srv/full');
      }
      expect((await at.ask('/')).text).toBe('version one 0');
      await at.deploy('two');
      expect((await at.ask('/')).text).toBe('version two 0');
    });
  },
);
