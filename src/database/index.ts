/** What deploys and hosts need of databases. */
export { bringDatabase, type DatabaseOutcome, lookAtDatabases, type SeenDatabase } from './bring.ts';
export {
  appDatabases,
  databasePort,
  databasesOn,
  databaseVariables,
  missingDatabases,
  withPasswords,
} from './servers.ts';
