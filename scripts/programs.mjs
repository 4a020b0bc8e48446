// Gets programs that tests run where this machine has none: each alone, unpacked from Debian's package into
// node_modules/.cache. Installing the packages would start services.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Program (and Debian package), where the package has it, what it is asked to see whether it runs. */
const PROGRAMS = {
  nginx: ['usr/sbin/nginx', '-v'],
  prometheus: ['usr/bin/prometheus', '--version'],
  'victoria-metrics': ['usr/bin/victoria-metrics', '-version'],
};
const cache = join(import.meta.dirname, '../node_modules/.cache');

const missing = Object.entries(PROGRAMS).filter(
  ([name, [, version]]) =>
    ![process.env[`PIPELINE_${name.toUpperCase().replaceAll('-', '_')}`] ?? name, join(cache, name)].some(
      (program) => runs(program, version),
    ),
);
if (missing.length > 0 && spawnSync('apt-get', ['--version']).error !== undefined) {
  const names = missing.map(([name]) => name).join(', ');
  console.error(`This machine has neither ${names} nor apt-get: tests that need them are skipped.`);
} else if (missing.length > 0) {
  if (process.getuid() === 0) run('apt-get', ['-q', 'update']);
  for (const [name, [path, version]] of missing) unpack(name, path, version);
}

function runs(program, version) {
  return spawnSync(program, [version]).status === 0;
}

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

/** Into a folder beside the final one first, so that an interrupted run leaves nothing that looks whole. */
function unpack(name, path, version) {
  mkdirSync(cache, { recursive: true });
  const kept = join(cache, name);
  const folder = mkdtempSync(join(cache, `${name}-`));
  try {
    run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], folder);
    const [archive] = readdirSync(folder);
    run('dpkg-deb', ['--extract', archive, 'unpacked'], folder);
    rmSync(kept, { force: true });
    renameSync(join(folder, 'unpacked', path), kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!runs(kept, version)) throw new Error(`${kept} does not run here`);
}
