import { describe, expect, it } from 'vitest';
import { type ProgressEvent, quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { type ApplyOptions, apply } from '../../src/host/apply.ts';
import type { Change, HostPlan } from '../../src/host/change.ts';
import { BUSY, REPORT } from '../../src/host/script.ts';
import type { Connection, RunOptions } from '../../src/ssh/connection.ts';

const change = (id: string, doing: string): Change => ({
  id,
  action: 'install',
  diff: [],
  because: [],
  doing,
});
const PLAN: HostPlan = {
  changes: [
    change('package curl', 'installing curl'),
    change('package nginx', 'installing nginx'),
    change('firewall inet pipeline', 'loading the firewall'),
  ],
  theirs: [],
  script: 'true',
  secrets: ['hunter2'],
};

/** A connection on which the script prints `lines` and ends. `confirmed` gets what is run besides. */
function connectionThatPrints(lines: readonly string[], end: number | Failure = 0) {
  const besides: string[] = [];
  const connection: Connection = {
    target: { name: 'web', address: '192.0.2.1', port: 22, user: 'root' },
    async script(_text: string, options: RunOptions) {
      for (const line of lines) {
        options.onStdout?.(line.replace('@', REPORT));
        await Promise.resolve();
      }
      if (end instanceof Failure) throw end;
      return { exitCode: end, stdout: '', stderr: '' };
    },
    async check(text: string) {
      besides.push(text);
      return '';
    },
    upload: () => Promise.reject(new Error('nothing is uploaded')),
    tunnel: () => Promise.reject(new Error('nothing is reached through it')),
    sshArguments: () => [],
    close: async () => {},
  };
  return { connection, besides };
}

async function applied(lines: readonly string[], end: number | Failure = 0, options: ApplyOptions = {}) {
  const events: ProgressEvent[] = [];
  const { connection, besides } = connectionThatPrints(lines, end);
  const context = quietContext({ progress: (event) => events.push(event) });
  const failure = await apply(connection, PLAN, context, options).then(
    () => undefined,
    (error: Failure) => error,
  );
  return { events, failure, besides };
}

describe('apply', () => {
  it('tells how far it is, package by package', async () => {
    const { events, failure } = await applied([
      '@start 0 2',
      'Unpacking nginx (1.22.1) ...',
      'Setting up libc6 (2.36) ...',
      'Setting up curl (7.88) ...',
      'Setting up nginx (1.22.1) ...',
      '@done 0 2',
      '@start 2 1',
      '@done 2 1',
      '@finished',
    ]);
    expect(failure).toBeUndefined();
    expect(events.map(({ stage, count }) => `${count?.done}/${count?.of} ${stage}`)).toEqual([
      '0/3 installing curl',
      '0/3 unpacking nginx',
      '0/3 setting up libc6',
      '1/3 setting up curl',
      '2/3 setting up nginx',
      '2/3 loading the firewall',
      '3/3 3 changes',
    ]);
    expect(events.at(-1)?.state).toBe('done');
  });

  it('names the step that failed, with what it printed and without secrets', async () => {
    const { events, failure } = await applied([
      '@start 0 2',
      'the password is hunter2',
      'E: Unable to locate package nginx',
      '@failed 0 2 100 4096 8000000000',
    ]);
    expect(failure?.message).toBe('web: step 2 of 3, package nginx, failed (apt-get exit 100)');
    expect(JSON.stringify([failure?.output, failure?.next])).not.toContain('hunter2');
    expect(events.at(-1)?.state).toBe('failed');
  });

  it('is a failure where the script ends without saying so', async () => {
    const { failure } = await applied(['@start 2 1', 'Killed'], 137);
    expect(failure?.message).toBe('web: step 3 of 3, firewall inet pipeline, failed (exit 137)');
  });

  it('says that another run is at work', async () => {
    const { failure } = await applied([], BUSY);
    expect(failure?.kind).toBe('locked');
  });

  it('lets new firewall rules stay when a second connection comes through', async () => {
    const { besides, failure } = await applied(
      ['@start 2 1', '@probe inet-pipeline', '', '', '', '@done 2 1', '@finished'],
      0,
      {
        probe: async () => undefined,
      },
    );
    expect(failure).toBeUndefined();
    expect(besides).toEqual([': >/run/pipeline/firewall-inet-pipeline/confirmed']);
  });

  it('does not where it does not, and says what stopped it', async () => {
    const { besides, failure } = await applied(['@start 2 1', '@probe inet-pipeline', '@failed 2 1 77'], 0, {
      probe: async () => 'Connection timed out',
    });
    expect(besides).toEqual([]);
    expect(failure?.next).toContain('did not come through (Connection timed out)');
  });

  it('blames the rules where they cut off the connection that stood', async () => {
    const { failure } = await applied(
      ['@start 2 1', '@probe inet-pipeline'],
      new Failure('host', 'the connection was lost', { host: 'web' }),
      { probe: async () => 'Connection timed out' },
    );
    expect(failure?.message).toContain('firewall inet pipeline, failed');
    expect(failure?.next).toContain('the host took them back');
  });

  it('passes on what broke the connection otherwise', async () => {
    const lost = new Failure('host', 'the connection was lost', { host: 'web' });
    const { failure } = await applied(['@start 0 2'], lost);
    expect(failure).toBe(lost);
  });
});
