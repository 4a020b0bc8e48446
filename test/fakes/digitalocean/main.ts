/** The fake as a program: a DigitalOcean to try, without an account. `npm run fake:digitalocean -- --help` */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hostsUnavailable } from '../../support/hosts.ts';
import { fakeAccount, REALISTIC_DELAYS } from './account.ts';
import { createControl } from './control.ts';
import { EVERY_FAULT } from './faults.ts';
import { type LocalMachines, localMachines } from './local-machines.ts';
import { simulatedMachines } from './machines.ts';
import { FAKE_TOKEN, startFake } from './server.ts';

const HELP = `A DigitalOcean to try pipeline with, without an account.

  --port NUMBER   where it listens on 127.0.0.1 (default 8080)
  --hosts KIND    local: droplets are Debian hosts of this machine (default; needs root and systemd-nspawn)
                  none: droplets exist in the API alone: only "prod plan" and "prod destroy" work
  --fast          answers at once instead of taking as long as the real one

While it runs:
  curl http://127.0.0.1:8080/fake/account
  curl http://127.0.0.1:8080/fake/faults \\
    -d '{"method": "POST", "route": "/v2/droplets", "fault": "time-out after the effect"}'
  curl -X DELETE http://127.0.0.1:8080/fake/faults

Faults: ${Object.keys(EVERY_FAULT).join('; ')}
`;

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      hosts: { type: 'string', default: 'local' },
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(HELP);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('--port is no port');
  if (values.hosts !== 'local' && values.hosts !== 'none') throw new Error('--hosts is local or none');
  const unavailable = values.hosts === 'local' ? hostsUnavailable() : undefined;
  if (unavailable !== undefined) throw new Error(`${unavailable}; or give --hosts none`);

  const account = fakeAccount();
  if (!values.fast) account.delays = { ...REALISTIC_DELAYS };
  const project = `fake-digitalocean-${port}`;
  const local: LocalMachines | undefined =
    values.hosts === 'local'
      ? await localMachines({
          project,
          account,
          directory: join(tmpdir(), project),
          now: Date.now,
          log: (line) => say(`  ${line}`),
        })
      : undefined;
  const control = createControl(account);
  const fake = await startFake({ account, port, control, machines: local ?? simulatedMachines() });
  fake.fail(control.plan);
  fake.onExchange(({ call, url, status }) =>
    say(`${new Date().toISOString().slice(11, 19)}  ${status}  ${call.method} ${url}`),
  );

  say(`A fake DigitalOcean listens at ${fake.url}: one account, nothing in it. Nothing here costs anything.`);
  say(
    local === undefined
      ? 'Its droplets exist in the API alone.'
      : 'Its droplets are Debian hosts of this machine.',
  );
  say();
  say('In another terminal:');
  say(`  export DIGITALOCEAN_API_URL=${fake.url} DOTOKEN=${FAKE_TOKEN}`);
  say('  pipeline prod up --provider digitalocean');
  say();
  say('Every call is shown here. Ctrl-C ends it and removes its droplets.');
  say();

  const stop = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await stop;
  say('Removing its droplets…');
  await fake.stop();
  await local?.stop();
}

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
