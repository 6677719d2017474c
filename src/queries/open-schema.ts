import type { Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Dialect } from '../sql/index.ts';
import { selectInitScript, type SqlFolder } from '../sqlfile/index.ts';

/** Where the schema comes from that queries are prepared against. */
export interface SchemaSource {
  readonly dialect: Dialect;
  /** A database whose schema is taken as it is; nothing is written to it. */
  readonly url?: string | undefined;
  /**
   * On PostgreSQL, without `url`: a server on which a database is made for this, and dropped afterwards;
   * `'embedded'` is the one of the package embedded-postgres, started for this. On SQLite such a database is
   * in memory.
   */
  readonly server?: string | undefined;
  /** Fills the database that was made: with migrations, for example. @default runs `init.sql` */
  readonly prepare?: ((db: Database) => Promise<void>) | undefined;
}

export interface OpenedSchema extends AsyncDisposable {
  readonly db: Database;
}

/** Opens, or makes, the database. What was made is gone when it is disposed of. */
export async function openSchema(schema: SchemaSource, folder: SqlFolder): Promise<OpenedSchema> {
  const { dialect, url, prepare } = schema;
  if (url !== undefined) return opened(await open(url, dialect));
  const scratch =
    dialect === 'sqlite' ? opened(await open('sqlite::memory:', dialect)) : await onServer(schema);
  try {
    const script = selectInitScript(folder.initScripts, dialect);
    if (prepare !== undefined) await prepare(scratch.db);
    else if (script !== undefined) await scratch.db.script(script.source.text);
    return scratch;
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

async function onServer({ server }: SchemaSource): Promise<OpenedSchema> {
  if (server === undefined) {
    throw new UsageError('On PostgreSQL a schema needs the URL of a database, or a server to make one on.');
  }
  if (server !== 'embedded') return scratchOn(server);
  const embedded = await startEmbeddedPostgres();
  try {
    const scratch = await scratchOn(embedded.url);
    const dispose = async () => {
      await scratch[Symbol.asyncDispose]();
      await embedded[Symbol.asyncDispose]();
    };
    return { db: scratch.db, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await embedded[Symbol.asyncDispose]();
    throw error;
  }
}

async function scratchOn(server: string): Promise<OpenedSchema> {
  const name = `millpond_scratch_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const admin = await open(server, 'postgres');
  try {
    await admin.run(`create database ${name}`);
  } catch (error) {
    await admin.close();
    throw error;
  }
  const drop = async () => {
    await admin.run(`drop database if exists ${name}`);
    await admin.close();
  };
  try {
    const url = new URL(server);
    url.pathname = `/${name}`;
    const db = await open(url.href, 'postgres');
    const dispose = async () => {
      await db.close();
      await drop();
    };
    return { db, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await drop();
    throw error;
  }
}

/**
 * The engine is loaded here and not before: whoever calls generated queries has opened a database already.
 */
async function open(url: string, dialect: Dialect): Promise<Database> {
  const { openDatabase } = await import('../database/index.ts');
  const db = await openDatabase({ url, name: false, log: 'silent' });
  if (db.dialect === dialect) return db;
  await db.close();
  throw new UsageError(`The schema's URL is of a ${db.dialect} database, not of a ${dialect} one.`);
}

function opened(db: Database): OpenedSchema {
  return { db, [Symbol.asyncDispose]: () => db.close() };
}
