// Makes the git repository of the example service: `node make-repository.mjs FOLDER`. Branch `good` is the service in this folder; each of the
// others has one commit more, with one mistake of a kind that a canary should find. The same commits every time.
import { fileURLToPath } from 'node:url';
import { makeRepository } from '../repository.mjs';

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

makeRepository(process.argv[2], {
  name: 'Survey',
  from: fileURLToPath(new URL('service', import.meta.url)),
  message: 'Turn surveys in Markdown into HTML',
  branches: BRANCHES,
});
