/**
 * MongoDB as bash functions (see engine.ts). The first user is made through the server's localhost exception,
 * is pipeline's own, and makes those of the applications. Programs for its shell lie in a file for root alone
 * while they run. Pure.
 */
import { DATABASES } from '../roles/ferretdb.ts';
import { withValues } from '../ssh/script.ts';
import functions from './mongodb.sh' with { type: 'text' };
import { LOOPBACK, type ScriptInput } from './servers.ts';

const ADMIN = 'pipeline';

export function mongodb({ database, password }: ScriptInput): string {
  const { user, port, definition } = database;
  const roles = [
    { role: 'readWrite', db: definition.name },
    { role: 'dbAdmin', db: definition.name },
  ];
  return withValues(functions, {
    databases: DATABASES,
    loopback: LOOPBACK,
    port: String(port),
    admin: ADMIN,
    name: definition.name,
    js_name: JSON.stringify(definition.name),
    js_user: JSON.stringify(user),
    js_password: JSON.stringify(password),
    js_account: JSON.stringify({ pwd: password, roles }),
  });
}
