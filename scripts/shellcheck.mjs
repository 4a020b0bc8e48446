// Checks every .sh file that git tracks with ShellCheck. `--install` gets Debian's package where it is
// missing.
import { spawnSync } from 'node:child_process';

const run = (command, args) => spawnSync(command, args, { encoding: 'utf8' });
const missing = () => run('shellcheck', ['--version']).error !== undefined;

if (missing() && process.argv.includes('--install') && process.getuid() === 0) {
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'shellcheck']])
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
}
if (missing()) {
  console.error('ShellCheck is not installed. Install it: sudo apt-get install shellcheck');
  process.exit(1);
}
const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.sh']);
if (listed.status !== 0) {
  console.error(`git could not list the .sh files: ${listed.stderr ?? listed.error}`);
  process.exit(1);
}
const files = listed.stdout.split('\0').filter((file) => file !== '');
const { status } = spawnSync('shellcheck', files, { stdio: 'inherit' });
process.exit(status ?? 1);
