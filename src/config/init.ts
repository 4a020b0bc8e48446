/** The first `pipeline.yml` of a folder, annotated: pure but for `newProjectId`. */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import type { DetectedFolder, DetectedGit } from './detect.ts';
import type { Language } from './languages.ts';

/** An owner mark that no other project has. */
export function newProjectId(): string {
  return randomBytes(6).toString('hex');
}

export interface InitOptions {
  /** From `newProjectId`. */
  readonly id: string;
  /** Where editors find the JSON Schema: a path relative to the file, or an address. */
  readonly schema: string;
}

/** The text. What the folder does not tell stands in it as a comment that can be made true. */
export function initialConfig(folder: DetectedFolder, { id, schema }: InitOptions): string {
  const name = projectName(folder.name);
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    '# Every key is explained in docs/pipeline.reference.yml of pipeline. See what this file ' +
      'makes: pipeline prod plan',
    '',
    `project: ${name}`,
    '# Owner mark: what carries it was made by this project, and nothing else is ever removed. Keep it.',
    `id: ${scalar(id)}`,
    '',
    '# Where hosts come from. Left out: digitalocean where a token is set (DOTOKEN), else this machine.',
    '# provider: local',
    '',
    '# Networks from which SSH is allowed. Left out: everywhere.',
    '# operators: [203.0.113.0/24]',
    '',
    ...hosts(folder, name),
    '',
    'monitor:',
    '  host: monitor',
    '',
    ...apps(folder, name),
  ];
  return `${lines.join('\n')}\n`;
}

function hosts({ kind }: DetectedFolder, name: string): string[] {
  const roles = {
    node: 'nginx',
    static: 'nginx',
    unknown: 'nginx',
    python: 'nginx',
    go: 'nginx',
    ruby: 'nginx',
    bun: 'nginx',
    deno: 'nginx',
    tomcat: `nginx, tomcat${kind.runtime === 'tomcat' && kind.wantsMariadb ? ', mariadb' : ''}`,
  }[kind.runtime];
  return [
    'hosts:',
    '  monitor: # watches the others',
    '    memory: 512M',
    `  web: # serves ${name}`,
    `    roles: [${roles}]`,
    `    memory: ${kind.runtime === 'tomcat' ? '2G' : '1G'}`,
    '    # Two of them would be web-1 and web-2.',
    '    # count: 2',
    '    # DigitalOcean: the size of the droplet.',
    `    # size: ${kind.runtime === 'tomcat' ? 's-1vcpu-2gb' : 's-1vcpu-1gb'}`,
  ];
}

function apps(folder: DetectedFolder, name: string): string[] {
  const lines = [`  ${name}:`, ...source(folder.git), '    hosts: [web]', ...runtime(folder), ...common()];
  if (folder.kind.runtime !== 'unknown') return ['apps:', ...lines];
  return [
    '# Nothing here says how it is built: a Node service has a package.json, a Tomcat ' +
      'application a pom.xml of packaging war, others a requirements.txt, go.mod or Gemfile.lock. ' +
      'Anything else: runtime: command.',
    'apps: {}',
    '# apps:',
    ...lines.filter((line) => !line.trimStart().startsWith('#')).map((line) => `# ${line}`),
  ];
}

function source(git: DetectedGit | undefined): string[] {
  if (git === undefined) {
    return ['    # Not in a git repository yet: git init, commit, and this is right.', '    source: .'];
  }
  return [
    `    source: ${scalar(git.source)}`,
    ...(git.branch === undefined ? [] : [`    ref: ${scalar(git.branch)}`]),
    ...(git.directory === '' ? [] : [`    directory: ${scalar(git.directory)}`]),
  ];
}

function runtime({ kind }: DetectedFolder): string[] {
  switch (kind.runtime) {
    case 'node':
      return [
        ...(kind.startsBy === undefined
          ? [
              '    # package.json has neither scripts.start nor main: say how it starts.',
              '    start: node index.js',
            ]
          : [`    # Started as package.json says (${comment(kind.startsBy)}).`]),
        '    # It must listen on the port in this environment variable.',
        '    # port_variable: PORT',
        '    # Or, where it always takes the same one:',
        '    # fixed_port: 3000',
        ...health('/'),
      ];
    case 'tomcat':
      return [
        '    # Built by Maven: mvn package.',
        '    runtime: tomcat',
        `    artifact: target/${kind.war}.war`,
        `    context: /${kind.war}`,
        ...health(`/${kind.war}/`),
        '    # Files laid over the WAR at release time, filled from env and secrets:',
        '    # files: { WEB-INF/classes/db.properties: templates/db.properties }',
      ];
    case 'static':
      return ['    runtime: static', '    site:', '      static: .'];
    case 'python':
    case 'go':
    case 'ruby':
    case 'bun':
    case 'deno':
      return [...languageLines(kind), ...health('/')];
    case 'unknown':
      return health('/');
  }
}

function languageLines({
  runtime: language,
  startsBy,
  example,
}: Extract<DetectedFolder['kind'], { runtime: Language }>): string[] {
  const start =
    startsBy !== undefined
      ? [`    # Started as web of the Procfile says (${comment(startsBy)}).`]
      : language === 'go'
        ? [
            '    # The program of package main is built by go build, and started.',
            '    # start: ./bin/server',
          ]
        : language === 'bun' || language === 'deno'
          ? [
              '    # Started as package.json or deno.json says. Where they do not:',
              `    # start: ${scalar(example.start)}`,
            ]
          : [
              `    # ${example.before}It must listen on $PORT. Is this how it starts?`,
              `    start: ${scalar(example.start)}`,
            ];
  return [
    `    runtime: ${language}`,
    ...start,
    '    # Debian packages that it needs on the hosts.',
    '    # packages: [ffmpeg]',
  ];
}

function health(path: string): string[] {
  return [
    '    # A new version must answer this before it gets visitors; until then the old one serves.',
    '    health:',
    `      path: ${path}`,
    '      # status: 200',
    '      # contains: some text',
  ];
}

function common(): string[] {
  return [
    '    # env: { LOG_LEVEL: info }',
    '# Secrets never stand here: from the environment, from a command, or made once and kept on ' +
      'the hosts.',
    '    # secrets: { API_KEY: { env: API_KEY }, SESSION_KEY: { generate: 48 } }',
    '    # What `pipeline canary BASELINE CANDIDATE` asks both versions:',
    '    # canary: { requests: [{ path: / }] }',
  ];
}

/**
 * Text as one YAML scalar: plain where it is an ordinary word, else as JSON, which YAML reads to the letter.
 */
function scalar(text: string): string {
  const ordinary = /^[A-Za-z][\w./:@~+-]*$/.test(text);
  return ordinary ? stringify(text, { lineWidth: 0 }).trim() : JSON.stringify(text);
}

/** A name that both `project` and `apps` take: lower-case letters, digits and dashes, a letter first. */
export function projectName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/^@[^/]*\//, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return plain === '' ? 'app' : plain;
}

/** Text of others on one line of a comment. */
function comment(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/\p{C}/gu, '');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
