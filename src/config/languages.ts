/**
 * Languages whose conventions hold by themselves: by which files they are told, and what hosts need. Pure.
 */

export const LANGUAGES = ['python', 'go', 'ruby', 'bun', 'deno'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Lock files of Python's tools. */
export const PYTHON_LOCKS = ['uv.lock', 'poetry.lock', 'pdm.lock', 'Pipfile.lock'] as const;

/** Files of a service's folder that say which language it is. */
export const LANGUAGE_SIGNS: Readonly<Record<Language, readonly string[]>> = {
  python: ['requirements.txt', ...PYTHON_LOCKS, 'pyproject.toml'],
  go: ['go.mod'],
  ruby: ['Gemfile.lock', 'Gemfile'],
  bun: ['bun.lock', 'bun.lockb'],
  deno: ['deno.json', 'deno.jsonc', 'deno.lock'],
};

/** Debian packages that a host of such an application has. */
export const LANGUAGE_PACKAGES: Readonly<Record<Language, readonly string[]>> = {
  python: ['python3', 'python3-venv'],
  go: [],
  bun: [],
  deno: [],
  // Some gems are compiled while they are installed.
  ruby: ['ruby', 'ruby-bundler', 'ruby-dev', 'build-essential', 'pkg-config', 'libyaml-dev'],
};

/** A service's folder, as far as it says how the service could start. */
export interface LookedAt {
  has(name: string): boolean;
  /** undefined: there is no such file, or nobody read it. */
  text(name: string): string | undefined;
}

/** Files of that folder that only have to exist. */
export const PYTHON_ENTRIES = ['app.py', 'main.py', 'wsgi.py', 'manage.py'] as const;

/** A start command that would fit, and what is to be done before; empty: nothing. */
export interface StartExample {
  readonly start: string;
  readonly before: string;
}

export function startExample(language: Language | null, folder: LookedAt): StartExample {
  if (language === 'python') return pythonExample(folder);
  if (language === 'bun') return { start: 'bun index.ts', before: '' };
  if (language === 'deno') return { start: 'deno run --allow-net --allow-env main.ts', before: '' };
  if (language !== 'ruby') return { start: './server', before: '' };
  const has = /^ {4}puma \(/m.test(folder.text('Gemfile.lock') ?? '');
  return {
    before: has ? '' : 'Add puma to its gems. ',
    start: 'bundle exec puma --bind tcp://127.0.0.1:$PORT',
  };
}

function pythonExample({ has, text }: LookedAt): StartExample {
  const texts = ['requirements.txt', 'uv.lock', 'pyproject.toml'].map((name) => text(name) ?? '');
  const wants = (name: string) => texts.some((one) => new RegExp(`(^|["'])${name}\\b`, 'mi').test(one));
  const asynchronous = wants('uvicorn') || wants('fastapi');
  const program = asynchronous ? 'uvicorn' : 'gunicorn';
  const module = PYTHON_ENTRIES.find(has)?.replace(/\.py$/, '') ?? 'app';
  const target = has('manage.py') ? 'PROJECT.wsgi' : `${module}:app`;
  return {
    before: wants(program) ? '' : `Add ${program} to its dependencies. `,
    start: asynchronous
      ? `uvicorn --host 127.0.0.1 --port $PORT ${target}`
      : `gunicorn --bind 127.0.0.1:$PORT ${target}`,
  };
}

/** The command of `web` in a Procfile, as Heroku and others read it. */
export function webOfProcfile(text: string | undefined): string | undefined {
  return /^web:[ \t]*(\S.*?)[ \t\r]*$/m.exec(text ?? '')?.[1];
}
