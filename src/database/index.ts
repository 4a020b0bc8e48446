/** What deploys and hosts need of databases. */
export { bringDatabase, type DatabaseOutcome, lookAtDatabases, type SeenDatabase } from './bring.ts';
export { copyInto, copyOutOf, newestBackup } from './copy.ts';
export { databaseUnit } from './engine.ts';
export { type SeedSource, seedDatabase } from './seed.ts';
export {
  appDatabases,
  databasePort,
  databasesOn,
  databaseVariables,
  missingDatabases,
  type ScriptInput,
  withPasswords,
} from './servers.ts';
