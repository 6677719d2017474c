import type { ResolvedPostgresConfig } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { look, warnIf, type Finding, type Look } from './finding.ts';

/** A part of the server's connections that one pool should leave to others. */
const MUCH_OF_CONNECTIONS = 0.8;
const MANY_DEAD_ROWS = 10_000;

/** A server of PostgreSQL: its version, its room, its settings, and what would be slow. */
export async function examinePostgres(db: Database, config: ResolvedPostgresConfig): Promise<Finding[]> {
  return [
    await look('engine', async () => `PostgreSQL ${await db.value<string>('show server_version')}`),
    await look('role', () => role(db)),
    await look('room for connections', () => room(db, config)),
    await look('durability', () => durability(db)),
    await look('indexes of foreign keys', () => unindexedKeys(db)),
    await look('dead rows', () => deadRows(db)),
  ];
}

async function role(db: Database): Promise<Look> {
  const isStandby = await db.value<boolean>('select pg_is_in_recovery()');
  return isStandby === true ? { status: 'failed', message: 'a standby: it takes no writes' } : 'a primary';
}

async function room(db: Database, { pool }: ResolvedPostgresConfig): Promise<Look> {
  const allowed = Number(await db.value<string>('show max_connections'));
  const wanted = pool.max + pool.maxOverflow;
  const message = `this pool takes up to ${wanted} of ${allowed}`;
  return warnIf(wanted > allowed * MUCH_OF_CONNECTIONS, `${message}, and every process has one`, message);
}

async function durability(db: Database): Promise<Look> {
  const [fsync, commit] = await Promise.all([db.value('show fsync'), db.value('show synchronous_commit')]);
  const message = `fsync=${String(fsync)}, synchronous_commit=${String(commit)}`;
  return warnIf(fsync !== 'on' || commit === 'off', `${message}: acknowledged writes may be lost`, message);
}

async function unindexedKeys(db: Database): Promise<Look> {
  const keys = await db.all<{ child: string; name: string }>(
    `select c.conrelid::regclass::text as child, c.conname as name from pg_constraint c
     where c.contype = 'f' and not exists (
       select 1 from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = any(c.conkey))`,
  );
  const shown = keys.map(({ child, name }) => `${child} (${name})`).join(', ');
  return warnIf(
    keys.length > 0,
    `no index for ${shown}: deletes of what they refer to read the whole table`,
    'all there',
  );
}

async function deadRows(db: Database): Promise<Look> {
  const tables = await db.all<{ name: string }>(
    `select relname as name from pg_stat_user_tables
     where n_dead_tup > ${MANY_DEAD_ROWS} and n_dead_tup > n_live_tup order by n_dead_tup desc limit 5`,
  );
  const shown = tables.map(({ name }) => name).join(', ');
  return warnIf(tables.length > 0, `more than live ones in ${shown}: is autovacuum keeping up?`, 'few');
}
