/** What is to be done for a database, from what is there: pure. */

import { databaseVariable } from '../config/variables.ts';
import { Failure } from '../errors.ts';
import { databaseUnit } from './engine.ts';
import type { DatabaseFacts } from './look.ts';
import { stageOf } from './run.ts';
import type { AppDatabase } from './servers.ts';

export interface DatabaseWork {
  /** The server is brought first, and then it is looked at again. */
  readonly server: boolean;
  /** Database, user, rights and password are made, or made right again. */
  readonly make: boolean;
  /** It holds data, which is kept aside before the new version touches it. */
  readonly backup: boolean;
  /** It is emptied and filled: it is new, or an earlier run was ended while it filled it. */
  readonly seed: boolean;
}

/** What is asked for beyond what the definition says. */
export interface Occasion {
  /** A new version is about to be placed. */
  readonly change: boolean;
  /** The data is to be thrown away and made anew. */
  readonly reseed: boolean;
}

/**
 * @throws Failure kind `host` where the server is down, kind `usage` where the user belongs to somebody else
 * and does not take the password
 */
export function decideDatabase(
  database: AppDatabase,
  facts: DatabaseFacts,
  { change, reseed }: Occasion,
): DatabaseWork {
  const { definition, host, key, user } = database;
  if (facts.server === 'absent') return { server: true, make: true, backup: false, seed: false };
  if (facts.server === 'down') {
    const unit = databaseUnit(database);
    throw new Failure(
      'host',
      `${host.name}: the database server (${unit}) does not answer: ${facts.reason}`,
      {
        host: host.name,
        step: stageOf(database),
        next:
          `Nothing was changed. Look: pipeline prod ssh ${host.name} -- journalctl -u ${unit} -n 50; ` +
          `start it: pipeline prod ssh ${host.name} -- systemctl start ${unit}`,
      },
    );
  }
  if (facts.user === 'foreign' && !facts.signsIn) {
    const password = databaseVariable(key, 'PASSWORD');
    throw new Failure(
      'usage',
      `${host.name}: the user ${user} of ${definition.name} was not made by pipeline, ` +
        'and does not take the password that the application would have',
      {
        host: host.name,
        step: stageOf(database),
        next:
          `Give its password with secrets: { ${password}: { env: … } }, ` +
          `or choose another user: for databases.${key}.`,
      },
    );
  }
  const seeds = definition.seed.length > 0;
  return {
    server: false,
    make: facts.user !== 'foreign' && (!facts.current || !facts.signsIn || facts.user === 'none'),
    backup: definition.backups > 0 && facts.count > 0 && facts.seed !== 'begun' && (change || reseed),
    seed: seeds && (reseed || facts.seed === 'begun' || (facts.count === 0 && facts.seed !== 'done')),
  };
}
