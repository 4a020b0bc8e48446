/**
 * Ruby on a real host: Sinatra and Rails with Debian's gems, and gems of a registry that the host is told of.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppProject, appProject } from '../support/app-project.ts';
import { hostsUnavailable } from '../support/hosts.ts';
import type { Ended } from '../support/program.ts';

const unavailable = hostsUnavailable();

const APPS = `  sinatra:
    source: sinatra
    hosts: [web]
    packages: [ruby-sinatra, puma]
    start: bundle exec puma --bind tcp://127.0.0.1:$PORT
    site: { port: 8081 }
    health: { path: /, status: 200, contains: Hello, within: 2m }
    probation: 0s
  shop:
    source: shop
    hosts: [web]
    packages: [ruby-rails, ruby-bootsnap, puma]
    start: bundle exec puma -C config/puma.rb
    secrets: { SECRET_KEY_BASE: { generate: 64 } }
    site: { port: 8082 }
    health: { path: /, status: 200, contains: Hello, within: 2m }
    probation: 0s
  greeter:
    source: greeter
    hosts: [web]
    start: bundle exec ruby server.rb
    site: { port: 8083 }
    health: { path: /, status: 200, contains: Hello, within: 2m }
    probation: 0s
`;

const sinatra = (greeting: string) => ({
  Gemfile: 'source "https://rubygems.org"\ngem "sinatra"\ngem "puma"\ngroup(:test) { gem "kramdown" }\n',
  'config.ru': 'require "bundler/setup"\nrequire_relative "app"\nrun Sinatra::Application\n',
  'app.rb': `require "sinatra"\nget("/") { "Hello ${greeting}" }\n`,
});

const GEMSPEC = `Gem::Specification.new do |gem|
  gem.name = "greeting"
  gem.version = "1.0.0"
  gem.summary = "Greets"
  gem.authors = ["Test"]
  gem.files = ["lib/greeting.rb"]
end`;
const GREETER = `require "bundler/setup"
require "greeting"
require "socket"
server = TCPServer.new("127.0.0.1", ENV.fetch("PORT").to_i)
loop do
  Thread.new(server.accept) do |visitor|
    while (line = visitor.gets) && line != "\\r\\n" do end
    visitor.write("HTTP/1.1 200 OK\\r\\nContent-Length: #{GREETING.size}\\r\\nConnection: close\\r\\n\\r\\n#{GREETING}")
    visitor.close
  end
end
`;
/** Gemfile.lock of the service that greets. */
const greetingLock = (version: string) => `GEM
  remote: https://rubygems.org/
  specs:
    greeting (${version})

PLATFORMS
  ruby

DEPENDENCIES
  greeting
`;

describe.skipIf(unavailable !== undefined)(`Ruby on a real host (${unavailable ?? 'local'})`, () => {
  let project: AppProject;
  /** Gemfile.lock, as Bundler on the host makes it of the gems that Debian has there. */
  const lock = (gemfile: string) =>
    project.on(`rm -rf /root/lock && mkdir /root/lock && cd /root/lock && cat >Gemfile <<'END'
${gemfile}END
bundle lock --local >/dev/null 2>&1 && cat Gemfile.lock`);

  beforeAll(async () => {
    project = appProject(APPS);
    const made = await project.pipeline('prod', 'up');
    if (made.exitCode !== 0) throw new Error(made.stdout + made.stderr);
  });
  afterAll(() => project.remove());

  it('Sinatra with the gems of packages:, no request dropped', async () => {
    const files = sinatra('from Sinatra');
    await project.on('apt-get install -y -q ruby-kramdown >/dev/null 2>&1');
    project.commit('sinatra', { ...files, 'Gemfile.lock': await lock(files.Gemfile) });
    await project.on('apt-get purge -y -q ruby-kramdown >/dev/null 2>&1');
    const first = await project.pipeline('deploy', 'sinatra');
    expect(first.stdout + first.stderr).toContain('dependencies installed');
    expect(await project.ask(8081)).toBe('Hello from Sinatra');
    const ended: Ended[] = [];
    const load = await project.during(8081, async () => {
      project.commit('sinatra', sinatra('again'));
      ended.push(await project.pipeline('deploy', 'sinatra'));
      project.commit('sinatra', { 'app.rb': 'raise "out of luck"\n' });
      ended.push(await project.pipeline('deploy', 'sinatra'));
      ended.push(await project.pipeline('rollback', 'sinatra'));
      ended.push(await project.pipeline('restart', 'sinatra'));
    });
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 3, 0, 0]);
    expect(ended[0]?.stdout).toContain('dependencies reused');
    expect(ended[1]?.stdout).toContain('out of luck');
    expect(await project.ask(8081)).toBe('Hello from Sinatra');
    expect(load.others).toEqual({});
    expect(load.ok).toBe(load.sent);
    const listed = await project.pipeline('run', 'sinatra', '--', 'bundle', 'info', '--path', 'sinatra');
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('/usr/share/rubygems') });
  }, 900_000);

  it('Rails, as rails new makes it', async () => {
    const Gemfile = 'source "https://rubygems.org"\ngem "rails"\ngem "bootsnap"\ngem "puma"\n';
    const made = await project.on(`cd /root && rm -rf shop
rails new shop --minimal --skip-bundle --skip-git --skip-javascript --skip-active-record >/dev/null
tar -cz -C /root shop | base64 --wrap=0`);
    mkdirSync(join(project.path, 'shop'));
    const archive = join(project.path, 'shop.tar.gz');
    writeFileSync(archive, Buffer.from(made, 'base64'));
    execFileSync('tar', ['-xzf', archive, '-C', project.path]);
    project.commit('shop', {
      Gemfile,
      'Gemfile.lock': await lock(Gemfile),
      'config/routes.rb': `Rails.application.routes.draw do
  root to: proc { [200, {}, ["Hello from Rails in #{Rails.env}"]] }
end
`,
    });
    const deployed = await project.pipeline('deploy', 'shop');
    expect(deployed.stdout + deployed.stderr).toContain('Live in');
    expect(await project.ask(8082)).toBe('Hello from Rails in production');
    const command = ['bundle', 'exec', 'rails', 'runner', 'puts Rails.version'];
    const asked = await project.pipeline('run', 'shop', '--', ...command);
    expect(asked).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  it('gems of a registry, which Bundler’s own configuration on the host names', async () => {
    await project.on(`mkdir -p /srv-gems/gems /root/greeting/lib && cd /root/greeting
cat >greeting.gemspec <<'END'
${GEMSPEC}
END
echo 'GREETING = "Hello from a gem"' >lib/greeting.rb
gem build --silent greeting.gemspec --output /srv-gems/gems/greeting-1.0.0.gem 2>/dev/null
gem generate_index --silent --directory /srv-gems
systemd-run --quiet --unit gems ruby -run -e httpd /srv-gems --bind-address 127.0.0.1 --port 9292
until curl -sf http://127.0.0.1:9292/specs.4.8.gz >/dev/null; do sleep 0.2; done
mkdir -p /root/.bundle && echo 'BUNDLE_MIRROR__ALL: "http://127.0.0.1:9292"' >/root/.bundle/config`);
    project.commit('greeter', {
      Gemfile: 'source "https://rubygems.org"\ngem "greeting"\n',
      'Gemfile.lock': greetingLock('1.0.0'),
      'server.rb': GREETER,
    });
    const deployed = await project.pipeline('deploy', 'greeter');
    expect(deployed.stdout).toContain('dependencies installed');
    expect(deployed.exitCode).toBe(0);
    expect(await project.ask(8083)).toBe('Hello from a gem');
    const gems = await project.on('ls /srv/greeter/blue/dependencies/gems/ruby/*/gems; ls -a /srv/greeter');
    expect(gems).toContain('greeting-1.0.0');
    expect(gems).not.toContain('.build');
  });

  it('a gem that nobody has: exit 3 in Bundler’s words, and the old version serves', async () => {
    project.commit('greeter', { 'Gemfile.lock': greetingLock('9.9.9') });
    const failed = await project.pipeline('deploy', 'greeter');
    expect(failed.exitCode).toBe(3);
    expect(failed.stdout).toMatch(/greeting.*9\.9\.9|9\.9\.9.*greeting/);
    expect(await project.ask(8083)).toBe('Hello from a gem');
  });
});
