/** The watch after a deploy: it ends well, or the host goes back by itself. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RolloutOrder } from '../../src/contract/release.ts';
import { guard, type WithLock } from '../../src/onhost/guard.ts';
import type { FakeHost } from './fake-host.ts';
import { broken } from './fake-host.ts';
import { carry, NEW, OLD, placed, servingHost, settle, takeOver } from './orders.ts';

const BLUE = 'pipeline-shop@blue.service';
const GREEN = 'pipeline-shop@green.service';
const FOLDER = '/etc/pipeline/apps/shop/guard';
const WANTED = '/etc/systemd/system/multi-user.target.wants/pipeline-guard@shop.service';
const lock: WithLock = (_app, work) => work();

function watched(standby: boolean) {
  const guardOrder = {
    watch: 60_000,
    previous: placed(OLD, 'blue', 2),
    standby,
    audit: { by: 'me@here', action: 'deploy', app: 'shop', release: NEW },
  };
  return { verb: 'take-over', takeOver: takeOver({}, 2), settle: settle({ guard: guardOrder }, 2) } as const;
}

function active(host: FakeHost, unit: string): boolean {
  return host.units.get(unit)?.active === 'active';
}

function failing(host: FakeHost, port: string): void {
  host.checks = (address) => {
    const healthy = !address.endsWith(port);
    return { healthy, silent: false, said: healthy ? 'GET / → 200' : 'GET / → 500' };
  };
}

describe.each([{ standby: false }, { standby: true }])('a guard, standby: $standby', ({ standby }) => {
  let host: FakeHost;
  const printed: string[] = [];
  const run = () => guard('shop', host, lock, (line) => printed.push(line));

  beforeEach(async () => {
    printed.length = 0;
    host = servingHost(2);
    const { error } = await carry(watched(standby), host);
    expect(error).toBeUndefined();
    expect(active(host, BLUE)).toBe(standby);
    expect(host.green).toBe(100);
    host.calls.length = 0;
  });

  it('ends well: the new version serves alone, and nobody watches', async () => {
    expect(await run()).toBe(true);
    expect(host.green).toBe(100);
    expect(active(host, GREEN)).toBe(true);
    expect(active(host, BLUE)).toBe(false);
    expect(await host.exists(FOLDER)).toBe(false);
    expect(await host.exists('/etc/pipeline/apps/shop/standby')).toBe(false);
  });

  it('goes back where one of two instances fails its checks', async () => {
    failing(host, ':21017');
    expect(await run()).toBe(true);
    expect(host.green).toBe(0);
    expect(active(host, BLUE)).toBe(true);
    expect(active(host, GREEN)).toBe(false);
    expect(host.files.get(`/srv/shop/releases/${NEW}/state`)).toBe('failed\n');
    expect(host.calls.includes(`start ${BLUE}`)).toBe(!standby);
    const message = `GET / → 500; went back to ${OLD}`;
    expect(printed.at(-1)).toBe(`<3>shop ${NEW} failed in its first minute: ${message}`);
    expect(host.files.get('/var/log/pipeline/audit.jsonl')).toContain(`"message":"${message}"`);
  });

  it('goes back where it ends again and again by itself', async () => {
    host.onSleep = () => {
      const unit = host.units.get(GREEN);
      if (unit) unit.restarts += 1;
    };
    expect(await run()).toBe(true);
    expect(host.green).toBe(0);
    expect(printed.at(-1)).toContain('it ended 4 times by itself (exit code 7)');
  });

  it('gives a version the time to start after a reboot', async () => {
    const began = host.now();
    host.checks = () => {
      const healthy = host.now() - began > 4500;
      return { healthy, silent: !healthy, said: 'GET / → nothing answers' };
    };
    expect(await run()).toBe(true);
    expect(host.green).toBe(100);
  });

  it('goes back after a kill at any call of the way back', async () => {
    failing(host, ':21017');
    for (let at = 1; ; at++) {
      host = servingHost(2);
      await carry(watched(standby), host);
      failing(host, ':21017');
      const dying = broken(host, at, 'kill');
      const whole = await guard('shop', dying.host, lock, () => {}).then(
        () => true,
        () => false,
      );
      if (whole && dying.count.at === '') break;
      expect(active(host, host.green === 100 ? GREEN : BLUE), `call ${at}: ${dying.count.at}`).toBe(true);
      await run();
      expect(host.green, `call ${at}: ${dying.count.at}`).toBe(0);
      expect(active(host, BLUE), `call ${at}: ${dying.count.at}`).toBe(true);
      expect(active(host, GREEN), `call ${at}: ${dying.count.at}`).toBe(false);
    }
  });

  it('says so where the version of before does not start any more', async () => {
    host.checks = () => ({ healthy: false, silent: false, said: 'GET / → 500' });
    expect(await run()).toBe(false);
    expect(host.green).toBe(100);
    expect(active(host, GREEN)).toBe(true);
    expect(printed.at(-1)).toContain(`${OLD} could not be started: not healthy after 5 s`);
  });

  it('goes on with what is left where the next deploy fails, and goes back then', async () => {
    const until = host.files.get(`${FOLDER}/until`);
    const next = { ...takeOver(), ...placed('20261103-000000-ccccccc', 'blue', 2), old: 'green' as const };
    host.files.set('/var/lib/pipeline/incoming/f00d', 'f00d');
    host.checks = () => ({ healthy: false, silent: false, said: 'GET / → 500' });
    const { error } = await carry({ verb: 'take-over', takeOver: next, settle: null }, host);
    expect(error).toMatchObject({ step: 'health' });
    expect(host.green).toBe(100);
    expect(host.files.get(`${FOLDER}/until`)).toBe(until);
    failing(host, ':21017');
    expect(await run()).toBe(true);
    expect(host.green).toBe(0);
    expect(printed.at(-1)).toContain(`went back to ${OLD}`);
  });

  const third = { ...takeOver(), ...placed('20261103-000000-ccccccc', 'blue', 2), old: 'green' as const };
  const takeThird = { verb: 'take-over', takeOver: third, settle: null } as const;
  const revertThird = { verb: 'revert', placed: third, old: 'green', proven: false } as const;
  const bringThird = () => host.files.set('/var/lib/pipeline/incoming/f00d', 'f00d');

  it('goes on with what is left where the next deploy takes this host back, after another one failed', async () => {
    const until = host.files.get(`${FOLDER}/until`);
    bringThird();
    expect((await carry(takeThird, host)).error).toBeUndefined();
    expect(await host.exists(FOLDER)).toBe(false);
    expect((await carry(revertThird, host)).error).toBeUndefined();
    expect(host.green).toBe(100);
    expect(host.files.get(`${FOLDER}/until`)).toBe(until);
    expect(host.calls).toContain('start pipeline-guard@shop.service');
    failing(host, ':21017');
    expect(await run()).toBe(true);
    expect(host.green).toBe(0);
    expect(printed.at(-1)).toContain(`went back to ${OLD}`);
  });

  it('goes on after a kill at any call of the next deploy, once that fails or is taken back', async () => {
    for (let at = 1; ; at++) {
      host = servingHost(2);
      await carry(watched(standby), host);
      const until = host.files.get(`${FOLDER}/until`);
      bringThird();
      const dying = broken(host, at, 'kill');
      await carry(takeThird, dying.host);
      host.calls.length = 0;
      if (host.green === 100) {
        bringThird();
        host.checks = () => ({ healthy: false, silent: false, said: 'GET / → 500' });
        expect((await carry(takeThird, host)).error).toBeDefined();
      } else await carry(revertThird, host);
      const where = `call ${at}: ${dying.count.at}`;
      expect(host.green, where).toBe(100);
      expect(host.files.get(`${FOLDER}/until`), where).toBe(until);
      expect(host.files.has(`${FOLDER}/order.json`), where).toBe(true);
      expect(host.calls, where).toContain('start pipeline-guard@shop.service');
      expect(host.links.has(WANTED), where).toBe(true);
      if (dying.count.calls < at) break;
    }
  });

  it('goes on at the boot of a host that went down while another version was to take over', async () => {
    bringThird();
    const until = Number(host.files.get(`${FOLDER}/until`));
    const dying = broken(host, 40, 'kill');
    await carry(takeThird, dying.host);
    expect(await host.exists(FOLDER)).toBe(false);
    expect(host.green).toBe(100);
    expect(await run()).toBe(true);
    expect(host.time).toBeGreaterThanOrEqual(until);
    expect([await host.exists(FOLDER), host.links.has(WANTED)]).toEqual([false, false]);
  });

  it('does not go on at a boot where the other version has got the visitors', async () => {
    bringThird();
    await carry(takeThird, host);
    const began = host.time;
    expect(await run()).toBe(true);
    expect([host.time, host.green]).toEqual([began, 0]);
  });

  it('goes on where the next version is to be let in to a few visitors, and does not start', async () => {
    const until = host.files.get(`${FOLDER}/until`);
    bringThird();
    host.checks = () => ({ healthy: false, silent: false, said: 'GET / → 500' });
    const rollout = { shared: third.site } as RolloutOrder;
    const { error } = await carry({ verb: 'let-in', takeOver: third, rollout }, host);
    expect(error).toMatchObject({ step: 'health' });
    expect(host.files.get(`${FOLDER}/until`)).toBe(until);
  });

  it('has nothing left once the next deploy stays, or its own time is over', async () => {
    bringThird();
    await carry(takeThird, host);
    await carry(
      { verb: 'settle', settle: { ...settle(), ...placed(third.manifest.release, 'blue', 2) } },
      host,
    );
    await carry(revertThird, host);
    expect(await host.exists(FOLDER)).toBe(false);

    host = servingHost(2);
    await carry(watched(standby), host);
    bringThird();
    await carry(takeThird, host);
    host.time += 60_000;
    await carry(revertThird, host);
    expect(await host.exists(FOLDER)).toBe(false);
  });

  it('does not begin anew where it has gone back and the next deploy fails', async () => {
    failing(host, ':21017');
    expect(await run()).toBe(true);
    expect(await host.exists(`${FOLDER}/reason`)).toBe(true);
    const next = { ...takeOver(), ...placed('20261103-000000-ccccccc', 'green', 2), old: 'blue' as const };
    host.files.set('/var/lib/pipeline/incoming/f00d', 'f00d');
    host.checks = () => ({ healthy: false, silent: false, said: 'GET / → 500' });
    const { error } = await carry({ verb: 'take-over', takeOver: next, settle: null }, host);
    expect(error).toMatchObject({ step: 'health' });
    expect(await host.exists(FOLDER)).toBe(false);
    expect(host.green).toBe(0);
  });

  it('is ended by the next deploy, which stops what stands by in its colour', async () => {
    const next = { ...takeOver(), ...placed('20261103-000000-ccccccc', 'blue', 2), old: 'green' as const };
    host.files.set('/var/lib/pipeline/incoming/f00d', 'f00d');
    const { error } = await carry({ verb: 'take-over', takeOver: next, settle: null }, host);
    expect(error).toBeUndefined();
    expect(await host.exists(FOLDER)).toBe(false);
    expect(host.calls.some((call) => call.startsWith(`stop ${BLUE}`))).toBe(standby);
    expect(host.calls).toContain(`start ${BLUE}`);
    expect(host.green).toBe(0);
  });
});
