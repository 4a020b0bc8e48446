import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addHostNpm } from '../../src/build/host-npm.ts';

/** A release as it lies on a host that has Node, and no npm. */
let folder: string;
let path: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-host-npm-'));
  const bin = join(folder, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'migrate'), '#!/bin/sh\necho "migrates $*"\n');
  chmodSync(join(bin, 'migrate'), 0o755);
  writeFileSync(join(folder, 'server.js'), 'console.log("serves", process.argv.slice(2).join("|"))');
  const wait = "process.on('SIGTERM', () => process.exit(5)); setTimeout(() => {}, 9000); console.log(1)";
  writeFileSync(join(folder, 'wait.js'), wait);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      scripts: {
        'start:prod': 'npm run serve -- --port 3000',
        preserve: 'echo first',
        serve: 'node server.js',
        'serve:quiet': 'node server.js',
        up: 'npx migrate up && echo "then $npm_lifecycle_event"',
        wait: 'node wait.js',
        fails: 'echo no >&2 && exit 3',
      },
    }),
  );
  await addHostNpm(folder, '');
  const node = join(folder, 'node', 'bin');
  mkdirSync(node, { recursive: true });
  execFileSync('ln', ['-s', process.execPath, join(node, 'node')]);
  path = [node, bin, '/usr/bin', '/bin'].join(':');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    env: { PATH: path },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

describe('on a host without npm', () => {
  it.each([
    ['npm run start:prod', 'first\nserves --port|3000\n'],
    ['npm run --silent serve:quiet -- "a b" it\\\'s', "serves a b|it's\n"],
    ['npm start', 'serves \n'],
    ['npx migrate up', 'migrates up\n'],
    ['npx --no-install migrate up', 'migrates up\n'],
    ['npm exec -- migrate down', 'migrates down\n'],
    ['npm run up', 'migrates up\nthen up\n'],
    ['yarn serve:quiet x', 'serves x\n'],
    ['yarn migrate up', 'migrates up\n'],
    ['pnpm run serve:quiet', 'serves \n'],
    ['pnpm dlx migrate up', 'migrates up\n'],
  ])('%s', (command, printed) => {
    expect(run(command)).toEqual({ status: 0, stdout: printed, stderr: '' });
  });

  it.each([
    ['npm run nothing', 'package.json has no script "nothing"'],
    ['npx prisma migrate deploy', 'put it into "dependencies" of package.json'],
    ['npm ci', '"ci" is not done on hosts'],
    ['npm --prefix api run x', 'the option --prefix is not known here'],
    ['npm', 'nothing was asked for'],
  ])('%s ends with 127, and says why', (command, why) => {
    const { status, stderr } = run(command);
    expect([status, stderr]).toEqual([127, expect.stringContaining(why)]);
  });

  it('hands on the exit code, and signals reach the service', () => {
    const stopped = run('npm run wait & service=$!; sleep 1; kill $service; wait $service');
    expect(stopped).toMatchObject({ status: 5, stdout: '1\n' });
    expect(run('npm run fails').status).toBe(3);
  });
});

it('leaves the programs of dependencies alone, and stands below the folder of the service', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'pipeline-host-npm-'));
  const own = join(tree, 'api', 'node_modules', '.bin', 'yarn');
  mkdirSync(dirname(own), { recursive: true });
  writeFileSync(own, 'theirs');
  await addHostNpm(tree, 'api');
  expect(readFileSync(own, 'utf8')).toBe('theirs');
  expect(existsSync(join(tree, 'api', 'node_modules', '.bin', 'npx'))).toBe(true);
  rmSync(tree, { recursive: true });
});
