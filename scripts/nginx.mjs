// Gets nginx for test/proxy where this machine has none: the program alone, unpacked from Debian's package
// into node_modules/.cache. Installing the package would start a service on port 80.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '../node_modules/.cache');
const kept = join(cache, 'nginx');

const runs = (program) => spawnSync(program, ['-v']).status === 0;

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

/** Into a folder beside the final one first, so that an interrupted run leaves nothing that looks whole. */
function unpack() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'nginx-'));
  try {
    if (process.getuid() === 0) run('apt-get', ['-q', 'update']);
    run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', 'nginx'], folder);
    const [archive] = readdirSync(folder);
    run('dpkg-deb', ['--extract', archive, 'unpacked'], folder);
    rmSync(kept, { force: true });
    renameSync(join(folder, 'unpacked/usr/sbin/nginx'), kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!runs(kept)) throw new Error(`${kept} does not run here`);
}

if (![process.env.PIPELINE_NGINX ?? 'nginx', kept].some(runs)) {
  if (spawnSync('apt-get', ['--version']).error !== undefined)
    console.error(
      'This machine has neither nginx nor apt-get: the tests of test/proxy that need nginx are skipped.',
    );
  else unpack();
}
