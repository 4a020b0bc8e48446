// Counts lines of bash in TypeScript template strings, file by file: node scripts/bash-in-strings.mjs
// [FOLDER] A template of three lines or more counts, whole and with the values in it, where one of its lines
// can only be shell: a redirection, a test, `fi`, `done`, `esac`, a function, `|| exit`, `set -e`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SHELL = [
  /^\s*(fi|done|esac|then|else)\b/,
  /^\s*(if|while|until) (!? ?\[|!? ?[a-z_-]+ .*; then)/,
  /^\s*for \(?\(?\w+ .*; do/,
  /^\s*\w+\(\) \{/,
  /\|\| (exit|return|true|echo)\b/,
  /^\s*set -[eu]/,
  /[ 0-9]>(&[12]|\/dev\/null)/,
  /\[ -[a-z] /,
];

/** Template strings of a file, outermost only; comments and plain strings are stepped over. */
function templates(text) {
  const found = [];
  const skip = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`/g;
  for (let match = skip.exec(text); match !== null; match = skip.exec(text)) {
    if (match[0] !== '`') continue;
    const end = endOf(text, match.index);
    found.push(text.slice(match.index + 1, end));
    skip.lastIndex = end + 1;
  }
  return found;
}

function endOf(text, start) {
  let at = start + 1;
  while (at < text.length && text[at] !== '`') {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith('${', at)) at = afterValue(text, at + 2);
    else at += 1;
  }
  return at;
}

function afterValue(text, start) {
  let at = start;
  for (let depth = 1; at < text.length && depth > 0; at++) {
    if (text[at] === '`') at = endOf(text, at);
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
  }
  return at;
}

const folder = process.argv[2] ?? 'src';
let total = 0;
for (const name of readdirSync(folder, { recursive: true }).toSorted()) {
  if (!name.endsWith('.ts')) continue;
  const lines = templates(readFileSync(join(folder, name), 'utf8'))
    .map((template) => template.split('\n'))
    .filter((all) => all.length >= 3 && all.some((line) => SHELL.some((pattern) => pattern.test(line))))
    .reduce((sum, all) => sum + all.length, 0);
  if (lines > 0) console.log(`${String(lines).padStart(5)}  ${join(folder, name)}`);
  total += lines;
}
console.log(`${String(total).padStart(5)}  total`);
