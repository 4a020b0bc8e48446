/**
 * What tests of releases share: hosts with nginx, a git repository with a branch for each behaviour, a
 * configuration, and the commands.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { buildArtifact } from '../../src/build/build.ts';
import { type appSchema, type Config, configSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { converge } from '../../src/host/converge.ts';
import { type DeployResult, deploy, type ReleaseHost, rollback } from '../../src/release/index.ts';
import type { DeployRequest } from '../../src/release/types.ts';
import { rolesFor } from '../../src/roles/index.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { startHosts, type TestHosts } from './hosts.ts';
import { powerCut } from './power.ts';

/** Kept between runs: it holds Node for hosts, which is large. */
export const CACHE = join(tmpdir(), 'pipeline-tests-cache');

/**
 * A service whose answer names its version. `?ms=N` lets it take so long, `?status=N` makes it fail; `/env`
 * tells a part of its environment, `/events` answers without end, as does what upgrades to a web socket.
 */
const service = (version: string, change: (text: string) => string = (text) => text) =>
  change(`const http = require('http');
const fs = require('fs');
const port = Number(process.env.PORT);
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  let size = 0;
  request.on('data', (part) => { size += part.length; });
  request.on('end', () => {
    response.statusCode = Number(url.searchParams.get('status') ?? 200);
    const about = () => ({ ...process.env, uid: process.getuid(), cwd: process.cwd() });
    if (url.pathname === '/env') return response.end(JSON.stringify(about()));
    if (url.pathname === '/file') return response.end(fs.readFileSync(url.searchParams.get('path')));
    if (url.pathname === '/headers') return response.end(JSON.stringify(request.headers));
    if (url.pathname === '/exit') process.exit(7);
    if (url.pathname === '/events') {
      response.setHeader('content-type', 'text/event-stream');
      setInterval(() => response.write('data: version ${version}\\n\\n'), 100);
      return;
    }
    setTimeout(() => response.end('version ${version} ' + size), Number(url.searchParams.get('ms') ?? 2));
  });
});
server.on('upgrade', (request, socket) => {
  socket.on('error', () => {});
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');
  setInterval(() => socket.write('frame of ${version};'), 100);
});
server.listen(port, () => console.log('version ${version} listens on ' + port));
process.on('SIGTERM', () => process.exit(0));
`);

const replace = (from: string, to: string) => (text: string) => {
  if (!text.includes(from)) throw new Error(`the service does not contain ${from}`);
  return text.replace(from, () => to);
};

/** Answers `/people` with what its database says. */
const people = (version: string, statements: string) =>
  service(
    version,
    replace(
      'if (url.pathname',
      `if (url.pathname === '/people') {
      const { MAIN_HOST: host, MAIN_USER: user, MAIN_DATABASE: name, MAIN_PASSWORD: password } = process.env;
      const options = ['--protocol=tcp', '-h', host, '-u', user, '-N', name, '-e', '${statements}'];
      const env = { ...process.env, MYSQL_PWD: password };
      return require('child_process').execFile('mariadb', options, { env }, (error, rows) => {
        if (error) response.statusCode = 500;
        response.end(error ? error.message : 'version ${version} ' + rows);
      });
    }
    if (url.pathname`,
    ),
  );

/** Well where it is checked, and fails visitors. */
const failing = (version: string) =>
  service(
    version,
    replace(
      'if (url.pathname',
      "if (url.pathname !== '/health') response.statusCode = 500;\n    if (url.pathname",
    ),
  );
/**
 * Beside the service, on every branch: works through numbers, one at a time. Two at once would do one twice;
 * one that is killed at work leaves its number out of `cursor`, which the next one does again.
 */
const WORKER = `const fs = require('fs');
const home = process.env.HOME;
const version = fs.readFileSync('public/index.html', 'utf8').match(/>(.*)</)[1];
let ending = false;
process.on('SIGTERM', () => { ending = true; });
const last = () => fs.existsSync(home + '/cursor') ? Number(fs.readFileSync(home + '/cursor', 'utf8')) : 0;
(async () => {
  console.log('worker of ' + version);
  while (!ending) {
    const item = last() + 1;
    await new Promise((resolve) => setTimeout(resolve, 400));
    fs.appendFileSync(home + '/done', item + ' ' + version + '\\n');
    fs.writeFileSync(home + '/cursor', String(item));
  }
})();
`;

/** Beside the service, on every branch: the same in another language, which each Debian has. */
const PERL = `use IO::Socket::INET;
my @at = (LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1);
open(my $page, '<', 'public/index.html') or die $!;
my ($version) = <$page> =~ />(.*)</;
my $server = IO::Socket::INET->new(@at) or die $@;
$SIG{TERM} = sub { exit 0 };
while (my $client = $server->accept) {
  while (defined(my $line = <$client>)) { last if $line !~ /\\S/ }
  print $client "HTTP/1.0 200 OK\\r\\n\\r\\nversion $version 0";
  close $client;
}
`;

/** Branches, each with one commit on its own. */
const BRANCHES: Readonly<Record<string, string>> = {
  one: service('one'),
  two: service('two'),
  three: service('three'),
  four: service('four'),
  'broken-elsewhere': failing('broken-elsewhere'),
  'broken-too': failing('broken-too'),
  // One request in twenty fails.
  flaky: service(
    'flaky',
    replace(
      'if (url.pathname',
      "if (url.pathname !== '/health' && Math.random() < 0.05) response.statusCode = 500;\n    " +
        'if (url.pathname',
    ),
  ),
  // Takes half as long again, and more.
  slow: service('slow', replace('?? 2)', '?? 20)')),
  // Ten times as long as it is asked to.
  tenfold: service('tenfold', replace('?? 2)', '?? 2) * 10')),
  // Answers every request with 500, and says why.
  broken: service(
    'broken',
    replace(
      'if (url.pathname',
      "console.error(new TypeError('surveys is not iterable').stack); response.statusCode = 500;" +
        '\n    if (url.pathname',
    ),
  ),
  exits: service(
    'exits',
    replace(
      'server.listen',
      "console.log('looking for the database'); throw new Error('no database');\nserver.listen",
    ),
  ),
  deaf: service('deaf', replace('Number(process.env.PORT)', '4711')),
  hangs: service('hangs', replace('setTimeout', '0 && setTimeout')),
  // Well at first, and gone after two seconds.
  fades: service(
    'fades',
    replace(
      'server.listen',
      "setTimeout(() => { console.error('out of luck'); process.exit(3); }, 2000);\nserver.listen",
    ),
  ),
  // Well at first, and answers with 500 after three seconds.
  sours: service(
    'sours',
    replace('if (url.pathname', 'if (process.uptime() > 3) response.statusCode = 500;\n    if (url.pathname'),
  ),
  // Fails visitors from when a file says so.
  'breaks-when-told': service(
    'breaks-when-told',
    replace(
      'if (url.pathname',
      "if (url.pathname !== '/health' && fs.existsSync(process.env.HOME + '/break')) " +
        'response.statusCode = 500;\n    if (url.pathname',
    ),
  ),
  // Each adds a row to its database; the second one fills a column of its own.
  names: people('names', 'INSERT INTO people (name) VALUES (1); SELECT COUNT(*) FROM people'),
  mails: people('mails', 'INSERT INTO people (mail) VALUES (1); SELECT COUNT(mail) FROM people'),
  // The same, but on its second host alone.
  'sours-on-one': service(
    'sours-on-one',
    replace(
      'if (url.pathname',
      "if (process.uptime() > 3 && require('os').hostname() === 'web-2') response.statusCode = " +
        '500;\n    if (url.pathname',
    ),
  ),
  // Keeps sessions in the memory of its process.
  sessions: service(
    'sessions',
    replace(
      'if (url.pathname',
      "const host = require('os').hostname();\n    if (url.pathname === '/login') " +
        "response.setHeader('set-cookie', 'SID=1; Path=/');\n    if (['/login', " +
        "'/whoami'].includes(url.pathname)) return response.end(host);\n    if (url.pathname",
    ),
  ),
  // More than a small disk holds.
  heavy: service('heavy'),
  // Takes one port and no other.
  fixed: service('fixed', replace('Number(process.env.PORT)', '3000')),
  'fixed-too': service('fixed-too', replace('Number(process.env.PORT)', '3000')),
};

/** Makes the repository. */
function makeRepository(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
  git('init', '--quiet', '--template=', '--initial-branch=one');
  mkdirSync(join(folder, 'public'), { recursive: true });
  for (const [branch, text] of Object.entries(BRANCHES)) {
    if (branch !== 'one') git('checkout', '--quiet', '--orphan', branch);
    writeFileSync(join(folder, 'server.js'), text);
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'service', version: '1.0.0', main: 'server.js' }),
    );
    writeFileSync(join(folder, 'public', 'index.html'), `<h1>${branch}</h1>\n`);
    writeFileSync(join(folder, 'public', 'site.css'), `/* ${branch} */\n`);
    if (branch === 'heavy') writeFileSync(join(folder, 'ballast'), randomBytes(3 * 2 ** 20));
    writeFileSync(join(folder, 'worker.js'), WORKER);
    writeFileSync(join(folder, 'server.pl'), PERL);
    mkdirSync(join(folder, 'sql'), { recursive: true });
    writeFileSync(join(folder, 'sql', 'schema.sql'), 'CREATE TABLE seeded (n INT);\n');
    git('add', '--all');
    git('commit', '--quiet', '--message', `Version ${branch}`);
  }
  git('checkout', '--quiet', 'one');
}

type AppInput = z.input<typeof appSchema>;

/** Hosts that applications are deployed to, with everything around them. */
export interface ReleaseFixture {
  readonly hosts: readonly ReleaseHost[];
  readonly addresses: readonly string[];
  /** The host that balances the others, where one was asked for. */
  readonly balancer: { readonly host: ReleaseHost; readonly address: string } | undefined;
  readonly context: Context;
  /** Folder of the configuration and the repository. */
  readonly folder: string;
  config(app: Partial<AppInput>, name?: string): Config;
  deploy(
    ref: string,
    app?: Partial<AppInput>,
    options?: {
      name?: string;
      context?: Context;
      reseed?: boolean;
      canary?: readonly number[];
      firewalls?: DeployRequest['firewalls'];
    },
  ): Promise<DeployResult>;
  rollback(release?: string, app?: Partial<AppInput>): Promise<DeployResult>;
  /** Runs a script on the first host, or on another. */
  on(script: string, host?: number): Promise<string>;
  /** Asks through nginx of the first host, or of another. */
  ask(
    path: string,
    options?: RequestInit,
    host?: number,
  ): Promise<{ status: number; text: string; headers: Headers }>;
  /** Takes a host's power away and gives it back. */
  powerCycle(name: string): Promise<void>;
  /** Reboots a host from inside and waits until it can be reached again. */
  reboot(name: string): Promise<void>;
  powerOff(name: string): Promise<void>;
  /** Starts every host that is off. */
  powerOn(): Promise<void>;
  /** Removes every application from the hosts. */
  clean(): Promise<void>;
  stop(): Promise<void>;
}

export const APP = 'demo.app';

/** @param front name of one more host that has nginx and no application: for `site: balancer:` */
export async function startReleases(names: readonly string[], front?: string): Promise<ReleaseFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-release-'));
  makeRepository(join(folder, 'repository'));
  const machines: TestHosts = await startHosts({
    names: front === undefined ? names : [...names, front],
    memory: 1024 * 2 ** 20,
  });
  const context = quietContext({ env: { ...process.env, XDG_CACHE_HOME: CACHE } });
  const knownHostsFile = join(folder, 'known_hosts');
  await writeKnownHosts(
    knownHostsFile,
    machines.machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
  );
  const hostNamed = (name: string): ReleaseHost => {
    const { address, port, user, identityFile } = machines.machine(name);
    return {
      name,
      connection: connect({ name, address, port, user, identityFile, knownHostsFile }, context),
    };
  };
  const hosts = names.map(hostNamed);
  const balancer =
    front === undefined ? undefined : { host: hostNamed(front), address: machines.machine(front).address };
  const all = balancer === undefined ? hosts : [...hosts, balancer.host];
  const balancersOf = (given: Config, name: string): readonly ReleaseHost[] =>
    balancer !== undefined && given.apps[name]?.site.balancer !== undefined ? [balancer.host] : [];
  if (balancer !== undefined) {
    const nothing = { fleet: [], operators: [], sshPorts: [], exposures: [] };
    await converge(balancer.host.connection, rolesFor('nginx', nothing), context);
  }
  const addresses = names.map((name) => machines.machine(name).address);
  const config = (app: Partial<AppInput>, name = APP): Config => ({
    ...configSchema.parse({
      project: 'test',
      hosts: Object.fromEntries(
        [...names, ...(front === undefined ? [] : [front])].map((host) => [host, { roles: ['nginx'] }]),
      ),
      apps: {
        [name]: {
          source: join(folder, 'repository'),
          hosts: [...names],
          node: process.versions.node,
          drain: '10s',
          ...app,
          health: {
            path: '/health',
            status: 200,
            contains: 'version',
            within: '6s',
            timeout: '1s',
            ...app.health,
          },
        },
      },
    }),
    path: join(folder, 'pipeline.yml'),
    directory: folder,
  });
  const hostAt = (index: number): ReleaseHost => {
    const host = hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index}`);
    return host;
  };
  const powerOff = (name: string) => powerCut(machines.spec, name);
  const powerOn = async () => {
    await machines.provider.apply(await machines.provider.plan());
  };
  return {
    hosts,
    addresses,
    balancer,
    context,
    folder,
    config,
    async deploy(ref, app = {}, options = {}) {
      const given = config(app, options.name);
      const name = options.name ?? APP;
      const artifact = await buildArtifact(given, name, ref, options.context ?? context);
      return deploy(
        {
          config: given,
          app: name,
          hosts,
          balancers: balancersOf(given, name),
          artifact,
          by: 'tester@test',
          reseed: options.reseed,
          firewalls: options.firewalls,
          canary: options.canary && { steps: options.canary },
        },
        options.context ?? context,
      );
    },
    rollback(release, app = {}) {
      const given = config(app);
      const balancers = balancersOf(given, APP);
      return rollback({ config: given, app: APP, hosts, balancers, release, by: 'tester@test' }, context);
    },
    on: (script, host = 0) => hostAt(host).connection.check(script, { label: 'test' }),
    async ask(path, options = {}, host = 0) {
      const answer = await fetch(`http://${addresses[host]}${path}`, {
        signal: AbortSignal.timeout(20_000),
        ...options,
      });
      return { status: answer.status, text: await answer.text(), headers: answer.headers };
    },
    reboot: machines.reboot,
    powerOff,
    powerOn,
    async powerCycle(name) {
      await powerOff(name);
      await powerOn();
    },
    async clean() {
      await Promise.all(
        all.map(({ connection }) =>
          connection.check(
            `systemctl stop 'pipeline-*@job-*.timer' 2>/dev/null
systemctl stop 'pipeline-*@*.service' 2>/dev/null
rm -rf /srv/* /etc/pipeline/apps/*/ /run/pipeline/rollouts /var/lib/pipeline/rollouts /var/lib/pipeline/jobs
rm -rf /var/lib/pipeline/proxy /run/pipeline/proxy /var/log/pipeline/audit.jsonl
cd /etc/systemd/system
rm -rf pipeline-*@*-* timers.target.wants/pipeline-*@*
rm -f pipeline-*@blue*.service pipeline-*@green*.service multi-user.target.wants/pipeline-*@*.service
rm -f /etc/nginx/pipeline/sites/*; systemctl daemon-reload; systemctl reload nginx 2>/dev/null || true`,
            { label: 'clean' },
          ),
        ),
      );
    },
    async stop() {
      await Promise.all(all.map(({ connection }) => connection.close()));
      await machines.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a call fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    const result = await promise;
    throw new Error(`it worked: ${JSON.stringify(result)}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
