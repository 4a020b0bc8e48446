/**
 * A release on a host: the order of its steps, and what stands after a failure or a kill at every one
 * of them.
 */
import { describe, expect, it } from 'vitest';
import type { ReleaseOrder } from '../../src/contract/release.ts';
import { Failure } from '../../src/errors.ts';
import { Interrupt, Interrupted } from '../../src/onhost/interrupt.ts';
import { broken, type FakeHost } from './fake-host.ts';
import { carry, deploy, NEW, OLD, servingHost, settle, takeOver } from './orders.ts';

const BLUE = 'pipeline-shop@blue.service';
const GREEN = 'pipeline-shop@green.service';
const STATE = `/srv/shop/releases/${NEW}/state`;

function active(host: FakeHost, unit: string): boolean {
  return host.units.get(unit)?.active === 'active';
}

function expectOldServes(host: FakeHost, where: string): void {
  expect(host.green, where).toBe(0);
  expect(active(host, BLUE), where).toBe(true);
  expect(active(host, GREEN), where).toBe(false);
  expect(host.files.get(STATE), where).not.toBe('live\n');
  expect(host.files.get(`/srv/shop/releases/${OLD}/state`), where).toBe('live\n');
  expect(host.links.has(`/etc/systemd/system/multi-user.target.wants/${GREEN}`), where).toBe(false);
}

function expectNewServes(host: FakeHost, where: string): void {
  expect(host.green, where).toBe(100);
  expect(active(host, GREEN), where).toBe(true);
}

describe('a release', () => {
  it('starts the new version, moves the traffic, then stops the old one', async () => {
    const host = servingHost();
    const { events, error } = await carry(deploy(), host);
    expect(error).toBeUndefined();
    const effects = host.calls.filter((call) => /^(hook|start|stop pipeline-shop|weights)/.test(call));
    expect(effects).toEqual([
      'hook npm run migrate',
      `start ${GREEN}`,
      'weights 100',
      `stop ${BLUE}`,
      'hook npm run warm',
    ]);
    const done = events.flatMap((one) => (one.event === 'done' ? one.step : []));
    expect(done).toEqual([
      'place',
      'before_cut_over',
      'start',
      'health',
      'proxy',
      'switch',
      'probation',
      'drain',
      'after_deploy',
    ]);
    expect(host.files.get(STATE)).toBe('live\n');
    expect(host.files.get(`/srv/shop/releases/${NEW}/app/config.json`)).toBe('{}');
    expect(host.files.get('/var/log/pipeline/audit.jsonl')).toContain('"result":"live"');
    expect(host.links.get('/srv/shop/green')).toBe(`releases/${NEW}`);
  });

  it('leaves one version serving after a failure at any call: the old, or the new once kept', async () => {
    const whole = broken(servingHost(), 0, 'fail');
    await carry(deploy(), whole.host);
    let kept = 0;
    let reverted = 0;
    for (let at = 1; at <= whole.count.calls; at++) {
      const host = servingHost();
      const { host: failing, count } = broken(host, at, 'fail');
      const { error } = await carry(deploy(), failing);
      const where = `call ${at}: ${count.at}`;
      if (host.green === 100) {
        kept += 1;
        expectNewServes(host, where);
      } else {
        reverted += 1;
        expect(error, where).toBeInstanceOf(Error);
        expectOldServes(host, where);
        expect(await host.exists('/srv/shop/releases/.new'), where).toBe(false);
      }
    }
    expect(reverted).toBeGreaterThan(40);
    expect(kept).toBeGreaterThan(5);
  });

  it('serves after a kill at any call, and the same order once more completes', async () => {
    const whole = broken(servingHost(), Number.POSITIVE_INFINITY, 'kill');
    await carry(deploy(), whole.host);
    for (let at = 1; at <= whole.count.calls; at++) {
      const host = servingHost();
      const dying = broken(host, at, 'kill');
      await carry(deploy(), dying.host);
      const where = `call ${at}: ${dying.count.at}`;
      expect(active(host, host.green === 100 ? GREEN : BLUE), where).toBe(true);
      // The operator looks again: where the switch was made, what is left is to settle.
      const order: ReleaseOrder = host.green === 100 ? { verb: 'settle', settle: settle() } : deploy();
      const { error } = await carry(order, host);
      expect(error, where).toBeUndefined();
      expectNewServes(host, where);
      expect(active(host, BLUE), where).toBe(false);
      expect(host.files.get(STATE), where).toBe('live\n');
    }
  });

  it('goes back when it is asked to end, in any second before it is kept', async () => {
    for (let sleeps = 1; sleeps <= 11; sleeps++) {
      const host = servingHost();
      const interrupt = new Interrupt();
      let slept = 0;
      host.onSleep = () => {
        slept += 1;
        if (slept === sleeps) interrupt.request(141);
      };
      const { error } = await carry(deploy(), host, interrupt);
      expect(error).toBeInstanceOf(Interrupted);
      expectOldServes(host, `sleep ${sleeps}`);
      expect(host.files.get(STATE)).toBe('failed\n');
    }
  });

  it('finishes although nobody listens once it is kept', async () => {
    const host = servingHost();
    const interrupt = new Interrupt();
    host.busy.set('127.0.0.1:21000', 1);
    host.onSleep = () => interrupt.request(141);
    const { error } = await carry({ verb: 'settle', settle: settle() }, host, interrupt);
    expect(host.calls).toContain('hook npm run warm');
    expect(error).toBeUndefined();
    expect(active(host, BLUE)).toBe(false);
  });

  it('does not touch anything where the host has changed the version that serves', async () => {
    const host = servingHost();
    host.green = 100;
    const { error } = await carry(deploy(), host);
    expect(error).toMatchObject({ step: 'lock' });
    expect(host.calls.filter((call) => call.startsWith('start'))).toEqual([]);
  });

  it('says how much space there is where the disk is full', async () => {
    const host = servingHost();
    host.makeFolder = async () => {
      throw new Error('ENOSPC: no space left on device');
    };
    const { error } = await carry(deploy(), host);
    expect(error).toMatchObject({ step: 'place' });
    expect((error as Failure).message).toContain('12K free');
    expectOldServes(host, 'disk full');
  });

  it('does not start where its hook fails', async () => {
    const host = servingHost();
    host.hooks = () => 3;
    const { error, events } = await carry(deploy(), host);
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ step: 'before_cut_over', message: 'the command ended with exit code 3' });
    expect(events).toContainEqual({ event: 'log', line: 'migrating' });
    expect(host.calls).not.toContain(`start ${GREEN}`);
  });

  it('does not call a release of files alone failed where nginx refuses its site', async () => {
    const host = servingHost();
    host.putSite = async () => ({ refused: ['[emerg] no such directive'] });
    const { error } = await carry(
      { verb: 'take-over', takeOver: takeOver({ instances: [] }), settle: null },
      host,
    );
    expect(error).toMatchObject({ step: 'proxy', output: ['[emerg] no such directive'] });
    expect(host.green).toBe(0);
    expect(host.files.get(STATE)).toBe('unfinished\n');
  });

  it('puts passwords of a site in place for nginx alone, and forgets those of before', async () => {
    const host = servingHost();
    const path = '/etc/pipeline/apps/shop/auth/new';
    host.files.set('/etc/pipeline/apps/shop/auth/old', 'ann:old');
    const site = { text: 'site', needs: null, certificate: null, auth: { path, text: 'ann:new' } };
    const { error } = await carry({ verb: 'take-over', takeOver: takeOver({ site }), settle: null }, host);
    expect(error).toBeUndefined();
    expect(host.files.get(path)).toBe('ann:new');
    expect(host.calls).toContain(`chgrp www-data ${path}`);
    expect(host.files.has('/etc/pipeline/apps/shop/auth/old')).toBe(false);
  });

  it('names the program that has its port', async () => {
    const host = servingHost();
    host.listeners.set(21_016, '"other",pid=7,fd=3');
    const { error } = await carry(deploy(), host);
    expect(error).toMatchObject({
      step: 'start',
      message: 'port 21016 is taken by another program ("other",pid=7,fd=3)',
    });
  });

  it('cuts off what is still under way when the drain is over', async () => {
    const host = servingHost();
    host.busy.set('127.0.0.1:21000', 2);
    const { events } = await carry(deploy(), host);
    const detail = 'blue stopped with 2 requests still under way after 2 s';
    expect(events).toContainEqual({ event: 'done', step: 'drain', detail });
  });

  it('goes back after a switch where another host failed', async () => {
    const host = servingHost();
    await carry({ verb: 'take-over', takeOver: takeOver(), settle: null }, host);
    expectNewServes(host, 'switched');
    const order = takeOver();
    const { error } = await carry({ verb: 'revert', placed: order, old: 'blue', proven: false }, host);
    expect(error).toBeUndefined();
    expectOldServes(host, 'reverted');
    expect(host.files.get(STATE)).toBe('failed\n');
  });
});

describe('several instances', () => {
  it('fail the probation where one of them fails its checks', async () => {
    const host = servingHost(2);
    host.checks = (address) => {
      const healthy = !(address.endsWith(':21017') && host.green === 100);
      return { healthy, silent: false, said: healthy ? 'GET / → 200' : 'GET / → 500' };
    };
    const { error } = await carry(deploy(2), host);
    expect(error).toMatchObject({ step: 'probation', message: 'GET / → 500' });
    expectOldServes(host, 'one instance');
  });

  it('fail the probation where one of them ends by itself', async () => {
    const host = servingHost(2);
    host.onSleep = (ms) => {
      const second = host.units.get('pipeline-shop@green-2.service');
      if (ms === 1000 && second) second.restarts += 1;
    };
    const { error } = await carry(deploy(2), host);
    expect(error).toMatchObject({ step: 'probation', message: 'it ended by itself (exit code 7)' });
    expectOldServes(host, 'restarted');
  });
});
