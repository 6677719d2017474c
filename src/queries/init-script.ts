import type { Database } from '../database/index.ts';
import type { InitScript } from '../sqlfile/index.ts';

const SQLITE_TABLES =
  "select count(*) from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'";
const POSTGRES_TABLES = `select count(*)::int
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'p') and nspname = any (current_schemas(false))`;
/** For two processes that start together; any number will do that others do not use. */
const LOCK = 'select pg_advisory_xact_lock(6455466)';

/** Runs the script if the database has no table yet; the look and the script are one transaction. */
export async function runInitScript(db: Database, { source }: InitScript): Promise<void> {
  const { dialect } = db;
  const tables = dialect === 'sqlite' ? SQLITE_TABLES : POSTGRES_TABLES;
  if (await db.value<number>(tables)) return;
  await db.transaction(
    async (tx) => {
      if (dialect === 'postgres') await tx.value(LOCK);
      if ((await tx.value<number>(tables)) === 0) await tx.script(source.text, { name: source.file });
    },
    { name: 'init.sql' },
  );
}
