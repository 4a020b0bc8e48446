/** What deploys and hosts need of databases. */
export { bringDatabase, type DatabaseOutcome, lookAtDatabases } from './bring.ts';
export { databaseUnit } from './engine.ts';
export {
  appDatabases,
  databasesOn,
  databaseVariables,
  missingDatabases,
  portOf,
  userOf,
  withPasswords,
} from './servers.ts';
