import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildArtifact } from '../../src/build/build.ts';
import { systemUser } from '../../src/contract/places.ts';
import { deploy } from '../../src/release/index.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import { javaUnavailable } from '../support/java.ts';
import { startLoad } from '../support/load.ts';
import { APP, failureOf, type ReleaseFixture, startReleases } from '../support/releases.ts';

const unavailable = hostsUnavailable() ?? javaUnavailable();
if (unavailable !== undefined)
  process.stderr.write(`test/release/war.host.test.ts skipped: ${unavailable}\n`);

/** Somebody who has signed in, and counts along. */
class Visitor {
  private readonly cookies = new Map<string, string>();
  private seen = 0;
  private readonly root: string;
  private readonly name: string;
  constructor(root: string, name: string) {
    this.root = root;
    this.name = name;
  }
  async signIn(): Promise<void> {
    const answer = await fetch(`${this.root}/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ user: this.name }),
    });
    expect(await answer.text()).toBe(`welcome, ${this.name}\n`);
    this.keep(answer);
  }
  private keep(answer: Response): void {
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      this.cookies.set(name, value);
    }
  }
  private get headers(): { readonly cookie: string } {
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
  }
  /** Which version answers. */
  async version(): Promise<string> {
    const answer = await fetch(`${this.root}/status`, { headers: this.headers });
    this.keep(answer);
    return (await answer.text()).split(' ')[1] ?? '';
  }
  /** One request; returns what is wrong with the answer, if anything. */
  async visit(): Promise<string | undefined> {
    const answer = await fetch(`${this.root}/visit`, { headers: this.headers });
    this.keep(answer);
    const text = await answer.text();
    this.seen++;
    return text === `${this.name} ${this.seen}\n`
      ? undefined
      : `${answer.status} ${text.trim()}, wanted ${this.name} ${this.seen}`;
  }
}

describe.skipIf(unavailable !== undefined)(`WARs on a real host (${unavailable ?? 'local'})`, () => {
  let at: ReleaseFixture;
  let root: string;

  const app = (settings = 'db.properties') => ({
    source: join(at.folder, 'notes'),
    runtime: 'tomcat' as const,
    build: 'sh build.sh',
    artifact: 'notes.war',
    context: '/notes',
    databases: { notes: { engine: 'mariadb' as const, name: 'notes' } },
    files: { 'WEB-INF/classes/db.properties': settings },
    watch: '0s',
    health: { path: '/notes/status', status: 200, contains: 'notes', within: '5m' },
  });
  const status = async () => (await at.ask('/notes/status')).text;

  beforeAll(async () => {
    at = await startReleases(['java']);
    root = `http://${at.addresses[0]}/notes`;
    execFileSync(process.execPath, ['examples/notes/make-repository.mjs', join(at.folder, 'notes')]);
    const template = readFileSync('examples/notes/db.properties', 'utf8');
    writeFileSync(join(at.folder, 'db.properties'), template);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template has it
    writeFileSync(join(at.folder, 'wrong.properties'), template.replace('${NOTES_PASSWORD}', 'wrong'));
  });
  afterAll(() => at?.stop());

  test('is built, unpacked, and served by a Tomcat of its own, under its own user', async () => {
    const first = await at.deploy('good', app());
    expect(first.changed).toBe(true);
    expect(await status()).toMatch(/^notes good for \S+ over http\n$/);
    expect(await at.deploy('good', app())).toMatchObject({ changed: false, release: first.release });
    expect(
      await at.on(`systemctl show --value -p User pipeline-${APP}@blue; systemctl is-active tomcat10; true`),
    ).toMatch(/^app-demo-app-\w{4}\ninactive\n$/);
    const page = await at.ask('/notes/nothing');
    expect(page.status).toBe(404);
    expect(page.text).not.toMatch(/Tomcat|Apache/);
  });

  test('100 signed-in sessions go along with deploy, rollback, restart and reboot, under load', async () => {
    const visitors = Array.from({ length: 100 }, (_, index) => new Visitor(root, `user-${index}`));
    await Promise.all(visitors.map((visitor) => visitor.signIn()));
    const wrong: string[] = [];
    let visits = 0;
    let stop = false;
    const everybody = async () => {
      await Promise.all(
        visitors.map(async (visitor) => {
          while (!stop) {
            const fault = await visitor.visit();
            visits++;
            if (fault !== undefined) wrong.push(fault);
            await new Promise((resolve) => setTimeout(resolve, 200));
          }
        }),
      );
    };
    const load = startLoad({ url: `${root}/status`, rate: 30, keepAlive: false });
    const under = everybody();
    const process = () => at.on(`systemctl show --value -p MainPID pipeline-${APP}@blue`);
    const stoodBy = await process();
    await at.deploy('better', { ...app(), watch: '60s' });
    expect(await status()).toContain('notes better');
    await at.rollback(undefined, app());
    expect(await status()).toContain('notes good');
    // While the host watches, the old Tomcat stands by: going back starts none.
    expect(await process()).toBe(stoodBy);
    stop = true;
    await under;
    expect(await load.stop()).toMatchObject({ others: {} });
    expect(wrong).toEqual([]);
    expect(visits).toBeGreaterThan(200);

    const again = async () => {
      await expect.poll(() => status().catch(() => ''), { timeout: 60_000 }).toContain('notes good');
      return (await Promise.all(visitors.map((visitor) => visitor.visit()))).filter(
        (one) => one !== undefined,
      );
    };
    await at.on(`systemctl restart 'pipeline-${APP}@*'`);
    expect(await again()).toEqual([]);
    await at.powerCycle('java');
    expect(await again()).toEqual([]);
  });

  test('sessions in memory stay with their version during a rollout', async () => {
    const memory = { ...app(), sessions: 'memory' as const };
    await at.deploy('good', memory);
    const signedIn = async (name: string, count: number) => {
      const visitors = Array.from({ length: count }, (_, index) => new Visitor(root, `${name}-${index}`));
      await Promise.all(visitors.map((visitor) => visitor.signIn()));
      return visitors;
    };
    const faults = async (visitors: readonly Visitor[]) =>
      (await Promise.all(visitors.map((visitor) => visitor.visit()))).filter((one) => one !== undefined);
    const before = await signedIn('before', 20);
    await at.deploy('better', memory, { canary: [50] });
    // Its own process lets the first ones in.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const since = await signedIn('since', 20);
    for (let round = 0; round < 3; round++) {
      expect(await faults([...before, ...since])).toEqual([]);
    }
    const versions = async (visitors: readonly Visitor[]) =>
      [...new Set(await Promise.all(visitors.map((visitor) => visitor.version())))].sort();
    expect(await versions(before)).toEqual(['good']);
    expect(await versions(since)).toEqual(['better', 'good']);
    await at.rollback(undefined, memory);
    expect(await faults(before)).toEqual([]);
    expect(await versions(since)).toEqual(['good']);
  });

  test('an application that cannot start, or lacks memory, fails the deploy with its own log', async () => {
    const failure = await failureOf(
      at.deploy('unstartable', { ...app(), health: { ...app().health, within: '20m' } }),
    );
    expect(failure).toMatchObject({
      kind: 'host',
      step: 'health',
      message: expect.stringContaining('its application did not start'),
    });
    expect(failure.output.join('\n')).toContain('IllegalStateException: SPELLING_KEY is not set');
    const locked = await failureOf(at.deploy('better', app('wrong.properties')));
    expect(locked.output.join('\n')).toContain("Access denied for user 'notes'@'127.0.0.1'");
    const hungry = await failureOf(at.deploy('hungry', { ...app(), memory: '256M' }));
    expect(hungry.message).toContain('it ended 3 times while it should start (exit code 3)');
    expect(hungry.output.join('\n')).toContain('OutOfMemoryError: Java heap space');
    expect(await status()).toContain('notes good');
  });

  test('comes back by itself where it could not start', async () => {
    await at.on('systemctl stop mariadb');
    await at.on(`systemctl restart 'pipeline-${APP}@*'`);
    await expect
      .poll(
        () =>
          at.on(`systemctl show --value -p NRestarts 'pipeline-${APP}@*' | sort -n | tail -n 1`).then(Number),
        { timeout: 60_000 },
      )
      .toBeGreaterThan(0);
    await at.on('systemctl start mariadb');
    await expect.poll(() => status().catch(() => ''), { timeout: 60_000 }).toContain('notes good');
  });

  test('what cannot be written to the disk breaks no request; sessions in memory keep it', async () => {
    const answers = async () => {
      const visitor = new Visitor(root, 'ann');
      await visitor.signIn();
      return [await visitor.visit(), await visitor.visit()];
    };
    await at.deploy('forgetful', app());
    expect(await answers()).toEqual(['401 sign in first, wanted ann 1', '401 sign in first, wanted ann 2']);
    await at.deploy('forgetful', { ...app(), sessions: 'memory' });
    expect(await answers()).toEqual([undefined, undefined]);
  });

  test('no room on the host for the unpacked WAR: said so, and the old version serves on', async () => {
    const before = await status();
    await at.on(
      `mkdir -p /mnt/full && mount -t tmpfs -o size=300k tmpfs /mnt/full && mkdir /mnt/full/releases &&
  mount --bind /mnt/full/releases /srv/${APP}/releases`,
    );
    try {
      const failure = await failureOf(at.deploy('better', app()));
      expect(failure).toMatchObject({ kind: 'host', step: 'place' });
      expect(failure.message).toMatch(/disk full|No space left/);
    } finally {
      await at.on(`umount /srv/${APP}/releases /mnt/full`);
    }
    expect(await status()).toBe(before);
  });

  test('a build that fails ends with its last lines, and a damaged WAR is not sent', async () => {
    const failure = await failureOf(at.deploy('typo', app()));
    expect(failure).toMatchObject({ kind: 'host', step: 'build', exitCode: 3 });
    expect(failure.output.join('\n')).toContain('sendErrr');
    writeFileSync(join(at.folder, 'bad.war'), 'PK\u0003\u0004');
    const context = { ...at.context, cwd: at.folder };
    const given = (file: string) => buildArtifact(at.config(app()), APP, undefined, context, { file });
    expect((await failureOf(given('bad.war'))).message).toBe(`${APP}: the WAR is damaged or cut off.`);
  });

  test('a folder that outlives releases is written by the application, and served by Tomcat', async () => {
    const keeping = { ...app(), persist: ['uploads/deep'] };
    await at.deploy('good', keeping);
    const user = await at.on(`stat -c %U /var/lib/pipeline-persist/${APP}/uploads/deep`);
    expect(user.trim()).toBe(systemUser(APP));
    const kept = `/var/lib/pipeline-persist/${APP}/uploads/deep`;
    await at.on(`runuser -u ${systemUser(APP)} -- sh -c 'echo uploaded >${kept}/a.txt'`);
    expect(await at.ask('/notes/uploads/deep/a.txt')).toMatchObject({ status: 200, text: 'uploaded\n' });
    await at.deploy('better', keeping);
    expect(await at.ask('/notes/uploads/deep/a.txt')).toMatchObject({ status: 200, text: 'uploaded\n' });
    await at.rollback(undefined, keeping);
    expect(await at.ask('/notes/uploads/deep/a.txt')).toMatchObject({ status: 200, text: 'uploaded\n' });
  });

  test("a WAR for javax is rewritten for the host's Tomcat, and served from a file without git", async () => {
    const folder = join(at.folder, 'javax');
    execFileSync('sh', [
      '-c',
      `mkdir -p ${folder}/WEB-INF && cd ${folder} || exit 1
echo '<%@ page session="false" %><%= new javax.servlet.http.Cookie("version", "old").getValue() %>' >index.jsp
echo '<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="4.0"/>' >WEB-INF/web.xml
jar --create --file ../old.war -C . .`,
    ]);
    const config = at.config({
      runtime: 'tomcat',
      health: { path: '/', status: 200, contains: 'old', within: '5m' },
    });
    const context = { ...at.context, cwd: at.folder };
    const artifact = await buildArtifact(config, APP, undefined, context, { file: 'old.war' });
    expect(artifact).toMatchObject({ commit: null, ref: 'old.war', servlet: 'javax' });
    const result = await deploy({ config, app: APP, hosts: at.hosts, artifact }, at.context);
    expect(result).toMatchObject({ changed: true, commit: null, ref: 'old.war' });
    expect((await at.ask('/')).text.trim()).toBe('old');
    expect(await at.on('ls /var/lib/pipeline/migrated')).toBe(`${artifact.sha256}.war\n`);
  });
});
