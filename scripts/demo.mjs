// The main job on this machine, from nothing: three real Debian hosts, the example service deployed from git,
// a request answered through nginx, and a second `prod up` that changes nothing. What it types is what a
// person would type; it prints each line before running it.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const config = ['-c', 'examples/pipeline.yml'];
const interactive = process.stdout.isTTY === true;
const bold = (text) => (interactive ? `\u001b[1m${text}\u001b[0m` : text);

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // The terminal has told the running command itself; it ends, says what is half-done, and then we end.
    if (children.size === 0) process.exit(130);
  });
}

function run(command, args, { show = true } = {}) {
  if (show) process.stdout.write(`\n${bold(`$ ${[command, ...args].join(' ')}`)}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    children.add(child);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve();
      else process.exit(code ?? (signal === null ? 1 : 130));
    });
  });
}

async function addressOf(host) {
  const inventory = await readFile(`${root}examples/inventory.ini`, 'utf8');
  const address = new RegExp(`^${host}\\s.*ansible_host=(\\S+)`, 'm').exec(inventory)?.[1];
  if (address === undefined) throw new Error(`examples/inventory.ini does not name the host ${host}`);
  return address;
}

await run('node', ['examples/survey/make-repository.mjs', 'examples/.pipeline/survey'], { show: false });
await run('bin/pipeline', ['prod', 'up', ...config]);
await run('bin/pipeline', ['deploy', 'survey', ...config]);

const url = `http://${await addressOf('checkbox')}/preview`;
const body = JSON.stringify({ markdown: '# Are you well?\n\n* yes\n* no\n' });
process.stdout.write(`\n${bold(`$ curl -H 'content-type: application/json' -d '${body}' ${url}`)}\n`);
const answer = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
  signal: AbortSignal.timeout(10_000),
});
process.stdout.write(
  `${answer.status} ${answer.statusText}, ${answer.headers.get('server')}\n${(await answer.text()).trim()}\n`,
);
if (answer.status !== 200) process.exit(3);

await run('bin/pipeline', ['prod', 'up', ...config]);

process.stdout.write(`
${bold('It runs.')} Three hosts, one service, nothing left to change. Look at it:
  bin/pipeline prod status -c examples/pipeline.yml
  curl -i ${url.replace('/preview', '/')}
Then try:
  bin/pipeline deploy survey broken -c examples/pipeline.yml     fails its check: the good version stays
  bin/pipeline canary good broken -c examples/pipeline.yml       the two versions side by side, judged
  bin/pipeline prod ssh checkbox -c examples/pipeline.yml        a shell on a host
  bin/pipeline prod destroy -c examples/pipeline.yml             away with it all
`);
