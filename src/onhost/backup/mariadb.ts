/**
 * MariaDB: root comes in over the Unix socket. A restored database takes the other's place table by table.
 */
import type { DatabaseItem } from '../../contract/backup.ts';
import { BACKUP_STATE } from '../../contract/backup-paths.ts';
import { type Engine, must } from './engine.ts';
import type { BackupWorld, Command } from './world.ts';

/** Comments name host, database and time, so that no two dumps would be alike. */
const DUMP = [
  '--single-transaction',
  '--quick',
  '--routines',
  '--triggers',
  '--events',
  '--hex-blob',
  '--no-autocommit',
  '--skip-comments',
  '--default-character-set=utf8mb4',
];
/** Loaded twice where a restore was killed while they were loaded. */
const DEFINITIONS = [...DUMP.filter((option) => option !== '--no-autocommit'), '--add-drop-trigger'];

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
function name(value: string): string {
  return `\`${value.replaceAll('`', '``')}\``;
}

export function mariadb(world: BackupWorld, item: DatabaseItem): Engine {
  return new MariaDb(world, item);
}

class MariaDb implements Engine {
  readonly file: string;
  readonly folder = '/var/lib/mysql';
  readonly exact = true;
  readonly #world: BackupWorld;
  readonly #own: string;
  /** Views, triggers, routines and events, while tables change places. */
  readonly #definitions: string;

  constructor(world: BackupWorld, item: DatabaseItem) {
    this.#world = world;
    this.#own = item.name;
    this.file = `${item.app}-${item.key}.sql`;
    this.#definitions = `${BACKUP_STATE}/restore/${item.app}.${item.key}.sql`;
  }

  #sql(statements: string): Promise<string> {
    const command = { program: 'mariadb', args: ['--batch', '--skip-column-names'] };
    return must(this.#world, `the database ${this.#own}`, command, statements);
  }

  async #names(database: string, where: string): Promise<readonly string[]> {
    const of = `FROM information_schema.tables WHERE table_schema = ${text(database)} AND ${where}`;
    const out = await this.#sql(`SELECT table_name ${of} ORDER BY table_name;\n`);
    return out.split('\n').filter((line) => line !== '');
  }

  #tables(database: string): Promise<readonly string[]> {
    return this.#names(database, "table_type <> 'VIEW'");
  }

  async holdsData(): Promise<boolean> {
    return (await this.#names(this.#own, 'TRUE')).length > 0;
  }

  async exists(beside: string): Promise<boolean> {
    const of = `FROM information_schema.schemata WHERE schema_name = ${text(beside)}`;
    return (await this.#sql(`SELECT COUNT(*) ${of};\n`)).trim() !== '0';
  }

  dump(beside = this.#own): Command {
    return { program: 'mariadb-dump', args: [...DUMP, beside] };
  }

  async makeBeside(beside: string): Promise<void> {
    const from = `FROM information_schema.schemata WHERE schema_name = ${text(this.#own)}`;
    const set = `SELECT CONCAT(default_character_set_name, ' ', default_collation_name) ${from};\n`;
    const [charset, collation] = (await this.#sql(set)).trim().split(' ');
    const like = collation ? ` CHARACTER SET ${charset} COLLATE ${collation}` : '';
    await this.removeBeside(beside);
    await this.#sql(`CREATE DATABASE ${name(beside)}${like};\n`);
  }

  load(beside: string): Command {
    return { program: 'mariadb', args: ['--default-character-set=utf8mb4', beside] };
  }

  async removeBeside(beside: string): Promise<void> {
    await this.#sql(`DROP DATABASE IF EXISTS ${name(beside)};\n`);
  }

  async count(beside = this.#own): Promise<string> {
    const tables = await this.#tables(beside);
    if (tables.length === 0) return '0 tables';
    const each = tables.map((one) => `SELECT COUNT(*) FROM ${name(beside)}.${name(one)};\n`);
    const rows = (await this.#sql(each.join(''))).trim().split('\n').map(Number);
    return `${tables.length} tables, ${rows.reduce((sum, one) => sum + one, 0)} rows`;
  }

  async replace(beside: string, from: string, mark: (step: string) => Promise<void>): Promise<void> {
    if (from === '') {
      await this.#keepDefinitions(beside);
      await mark('emptying');
    }
    // Until the tables move, they are all beside, and what is here has its backup.
    if (from === '' || from === 'emptying') {
      await this.#dropTriggers(beside);
      await this.#makeEmpty(beside);
      await mark('moving');
    }
    const left = (await this.exists(beside)) ? await this.#tables(beside) : [];
    const moves = left.map((table) => `${name(beside)}.${name(table)} TO ${name(this.#own)}.${name(table)}`);
    if (moves.length > 0) await this.#sql(`SET foreign_key_checks = 0;\nRENAME TABLE ${moves.join(', ')};\n`);
    const definitions = (await this.#world.files.read(this.#definitions)) ?? '';
    await must(this.#world, `the definitions of ${this.#own}`, this.load(this.#own), definitions);
    await this.removeBeside(beside);
    await this.#world.files.remove(this.#definitions);
  }

  /** What does not move with tables. */
  async #keepDefinitions(beside: string): Promise<void> {
    const views = await this.#names(beside, "table_type = 'VIEW'");
    const args = ['--no-data', '--no-create-info'];
    const dump = (more: readonly string[]) =>
      must(this.#world, `the definitions of ${this.#own}`, {
        program: 'mariadb-dump',
        args: [...DEFINITIONS, ...more],
      });
    const tables = await this.#tables(beside);
    const ignored = views.map((view) => `--ignore-table=${beside}.${view}`);
    const routines = await dump([...args, ...ignored, beside]);
    const ours = tables.map((table) => `--ignore-table=${beside}.${table}`);
    const skip = ['--skip-routines', '--skip-triggers', '--skip-events'];
    const seen = views.length === 0 ? '' : await dump(['--no-data', ...skip, ...ours, beside]);
    await this.#world.files.write(this.#definitions, `${seen}${routines}`, 0o600);
  }

  /** A table with a trigger cannot move to another database. */
  async #dropTriggers(beside: string): Promise<void> {
    const of = `FROM information_schema.triggers WHERE trigger_schema = ${text(beside)}`;
    const found = await this.#sql(`SELECT trigger_name ${of};\n`);
    const triggers = found.split('\n').filter((line) => line !== '');
    const drop = triggers.map((one) => `DROP TRIGGER IF EXISTS ${name(beside)}.${name(one)};\n`);
    if (drop.length > 0) await this.#sql(drop.join(''));
  }

  async #makeEmpty(beside: string): Promise<void> {
    const from = `FROM information_schema.schemata WHERE schema_name = ${text(beside)}`;
    const set = `SELECT CONCAT(default_character_set_name, ' ', default_collation_name) ${from};\n`;
    const [charset, collation] = (await this.#sql(set)).trim().split(' ');
    const own = name(this.#own);
    await this.#sql(
      `DROP DATABASE IF EXISTS ${own};\n` +
        `CREATE DATABASE ${own} CHARACTER SET ${charset} COLLATE ${collation};\n`,
    );
  }
}
