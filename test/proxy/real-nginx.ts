/** The real nginx on loopback, with the texts and shell functions that hosts get, in its own folder. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROXY_FUNCTIONS } from '../../src/proxy/scripts.ts';
import type { ShareFolder } from '../../src/proxy/shares.ts';
import { LOG_FORMAT } from '../../src/roles/nginx.ts';
import { debianProgram } from '../support/debian-program.ts';

const NGINX = debianProgram('nginx', '-v');

/** Why these tests cannot run here; undefined: they can. */
export function nginxUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return NGINX !== undefined ? undefined : 'needs nginx: run `node scripts/programs.mjs`';
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class RealNginx {
  /** In memory, as /run is. */
  readonly folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pipeline-nginx-'));
  readonly #workers: number;
  readonly #log: string;
  #process: ReturnType<typeof spawn> | undefined;

  /** @param options.log what the host's nginx.conf says of the log of sites */
  constructor({ workers = 2, log = LOG_FORMAT }: { readonly workers?: number; readonly log?: string } = {}) {
    this.#workers = workers;
    this.#log = log;
    chmodSync(this.folder, 0o755);
    process.once('exit', this.#leaveNothing);
    for (const name of ['live', 'state', 'sites', 'logs', 'srv', 'bin']) mkdirSync(join(this.folder, name));
  }

  /** A text for hosts, with this folder's paths. */
  here(written: string): string {
    const place = (name: string) => join(this.folder, name);
    return written
      .replaceAll('/run/pipeline/proxy', place('live'))
      .replaceAll('/var/lib/pipeline/proxy', place('state'))
      .replaceAll('/etc/nginx/pipeline/sites', place('sites'))
      .replaceAll('/var/log/nginx/pipeline', place('logs'))
      .replaceAll('/etc/tmpfiles.d', place('state'))
      .replaceAll('/run/nginx.pid', place('pid'))
      .replaceAll('/var/log/nginx/error.log', place('error.log'))
      .replaceAll('/srv/', `${place('srv')}/`)
      .replaceAll(
        /listen (\[::\]:)?(\d+)/g,
        (_, six, port) => `listen ${six ? '[::1]' : '127.0.0.1'}:${port}`,
      );
  }

  /** Runs beside this process, so that a load of this process goes on meanwhile. Returns what it prints. */
  async shell(script: string, input = ''): Promise<string> {
    const env = { ...process.env, PATH: `${join(this.folder, 'bin')}:${process.env.PATH}` };
    const ran = spawn('bash', ['-c', this.here(`${PROXY_FUNCTIONS}\n${script}`)], { env });
    ran.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      text(ran.stdout),
      text(ran.stderr),
      once(ran, 'close') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  async share(app: string, { name, files }: ShareFolder): Promise<void> {
    await this.shell(`share_put ${app} ${name}`, files.map((file) => `${file}\n`).join(''));
  }

  site(name: string, written: string): void {
    writeFileSync(join(this.folder, 'sites', `${name}.conf`), this.here(written));
  }

  log(path: string): string {
    return readFileSync(this.here(path), 'utf8');
  }

  async start(): Promise<void> {
    const { folder } = this;
    if (NGINX === undefined) throw new Error(nginxUnavailable());
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ');
    const written = `user www-data; worker_processes ${this.#workers}; daemon off; pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http { ${temporary} underscores_in_headers on; server_names_hash_bucket_size 512;
${this.#log}
access_log off;
include ${folder}/sites/*.conf; }`;
    writeFileSync(join(folder, 'nginx.conf'), written);
    const config = ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
    this.#program('nginx', `exec ${NGINX} "$@" ${config.join(' ')}`);
    this.#program('systemctl', `[ "$1" != reload ] || kill -HUP "$(cat ${folder}/pid)"`);
    execFileSync(NGINX, ['-t', '-q', ...config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = spawn(NGINX, config, { stdio: 'ignore' });
    for (let turn = 0; turn < 1000; turn++) {
      if (spawnSync('cat', [join(folder, 'pid')], { encoding: 'utf8' }).stdout?.trim()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`nginx did not start: ${readFileSync(join(folder, 'error.log'), 'utf8')}`);
  }

  /** What the shell's functions call on a host. */
  #program(name: string, script: string): void {
    writeFileSync(join(this.folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /** Process ids of those that answer requests, also of ones that only end their last connections. */
  workers(): number[] {
    const { stdout } = spawnSync('pgrep', ['-P', String(this.#process?.pid)], { encoding: 'utf8' });
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  signal(name: 'SIGHUP' | 'SIGUSR1'): void {
    this.#process?.kill(name);
  }

  /** For a benchmark that is interrupted, which has no time for `stop`. */
  readonly #leaveNothing = () => {
    this.#process?.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  };

  async stop(): Promise<void> {
    process.off('exit', this.#leaveNothing);
    const running = this.#process;
    if (running !== undefined && running.exitCode === null) {
      running.kill('SIGTERM');
      await once(running, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
