// Makes the git repository of the example service: `node make-repository.mjs FOLDER`. Branch `good` is the service in this folder; each of the
// others has one commit more, with one mistake of a kind that a canary should find. The same commits every time.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What each branch changes: file, text there, text instead, and the commit's message. */
const BRANCHES = {
  // A harmless change: the candidate that should pass.
  better: ['server.js', "status: 'running' }", "status: 'running', version: 2 }", 'Say which version runs'],
  // Every request fails, and fast.
  broken: [
    'render.js',
    "const lines = markdown.split('\\n');",
    'const lines = markdown.lines();',
    'Split lines the modern way',
  ],
  // One request in fifty gets an answer that is wrong, with status 200.
  wrong: [
    'render.js',
    "return html.join('\\n');",
    "return html.slice(Math.random() < 0.02 ? 1 : 0).join('\\n');",
    'Leave empty headings out',
  ],
  // Right answers, later.
  slow: [
    'render.js',
    "const lines = markdown.split('\\n');",
    "const lines = markdown.split('\\n');\n  await new Promise((resolve) => setTimeout(resolve, 15));",
    'Wait for the spelling service',
  ],
  // Runs for some seconds under load, ends, and does not start again.
  dies: [
    'server.js',
    'server.listen(port,',
    "import { existsSync, writeFileSync } from 'node:fs';\nif (existsSync('full')) process.exit(1);\nlet count = 0;\nserver.on('request', () => {\n  if (++count < 300) return;\n  writeFileSync('full', '');\n  throw new Error('out of surveys');\n});\nserver.listen(port,",
    'Count the surveys',
  ],
  // Does not start at all.
  unstartable: [
    'server.js',
    'const port = ',
    "if (!process.env.SPELLING_KEY) throw new Error('SPELLING_KEY is not set');\nconst port = ",
    'Ask the spelling service',
  ],
};

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('usage: node make-repository.mjs FOLDER\n');
  process.exit(2);
}
const target = resolve(folder);
const git = (...args) =>
  execFileSync('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'commit.gpgsign=false', ...args], {
    cwd: target,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'Survey',
      GIT_AUTHOR_EMAIL: 'survey@example.org',
      GIT_COMMITTER_NAME: 'Survey',
      GIT_COMMITTER_EMAIL: 'survey@example.org',
      GIT_AUTHOR_DATE: '2026-01-05T10:00:00Z',
      GIT_COMMITTER_DATE: '2026-01-05T10:00:00Z',
    },
  });

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
git('init', '--quiet', '--template=', '--initial-branch=good');
cpSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'service'), target, {
  recursive: true,
});
git('add', '--all');
git('commit', '--quiet', '--message', 'Turn surveys in Markdown into HTML');
for (const [branch, [file, from, to, message]] of Object.entries(BRANCHES)) {
  git('checkout', '--quiet', '-b', branch, 'good');
  const path = join(target, file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${branch}: ${file} does not contain ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  git('commit', '--quiet', '--all', '--message', message);
}
git('checkout', '--quiet', 'good');
