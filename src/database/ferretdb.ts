/**
 * FerretDB 1 as bash functions (see engine.ts). It knows users but no rights, so every database has a server
 * of its own, whose only user is the application's: it is made when the server starts and finds none
 * (`--setup-*`, with the new sign-in switched on). Pure.
 */
import { FERRETDB_DATA, FERRETDB_PROGRAMS, FERRETDB_USER } from '../roles/ferretdb.ts';
import { withValues } from '../ssh/script.ts';
import functions from './ferretdb.sh' with { type: 'text' };
import { LOOPBACK, type ScriptInput } from './servers.ts';

/** Value of an EnvironmentFile, which bash reads alike. */
function value(text: string): string {
  return `"${text.replaceAll(/[\\"$`]/g, '\\$&')}"`;
}

/** What the server is started with. Drivers look for users in `admin` (authSource). */
function ferretdbEnvironment({ database, password }: ScriptInput): string {
  const data = `${FERRETDB_DATA}/${database.app}.${database.key}`;
  const settings: Readonly<Record<string, string>> = {
    HANDLER: 'sqlite',
    SQLITE_URL: `file:${data}/`,
    STATE_DIR: data,
    LISTEN_ADDR: `${LOOPBACK}:${database.port}`,
    DEBUG_ADDR: '-',
    TELEMETRY: 'disable',
    LOG_LEVEL: 'error',
    TEST_ENABLE_NEW_AUTH: 'true',
    SETUP_DATABASE: 'admin',
    SETUP_USERNAME: database.user,
    SETUP_PASSWORD: password,
    SETUP_TIMEOUT: '10s',
  };
  return Object.entries(settings)
    .map(([name, text]) => `FERRETDB_${name}=${value(text)}\n`)
    .join('');
}

export function ferretdb(input: ScriptInput): string {
  const { app, key, definition, port } = input.database;
  return withValues(functions, {
    account: FERRETDB_USER,
    data: `${FERRETDB_DATA}/${app}.${key}`,
    link: `${FERRETDB_PROGRAMS}/${app}.${key}`,
    port: String(port),
    name: definition.name,
    settings: ferretdbEnvironment(input),
    program: input.program ?? '',
  });
}
