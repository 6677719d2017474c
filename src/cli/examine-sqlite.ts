import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ResolvedSqliteConfig } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { look, warnIf, type Finding, type Look } from './finding.ts';

const MIB = 1_024 ** 2;
const SLOW_SYNC_MS = 10;
const SYNCS = 10;
/** Below this the next growth of the file may fail. */
const LITTLE_SPACE_BYTES = 256 * MIB;
/** A part of the file that VACUUM would give back. */
const MUCH_UNUSED = 0.25;
const UNLIMITED = { timeoutMs: 0 };

/** A file of SQLite: its engine, its settings, its disk, its contents, and what would be slow. */
export async function examineSqlite(
  db: Database,
  config: ResolvedSqliteConfig,
  full: boolean,
): Promise<Finding[]> {
  const isFile = config.path !== ':memory:';
  return [
    await look('engine', () => engine(db)),
    await look('pragmas', () => pragmas(db)),
    ...(isFile
      ? [await look('disk', () => disk(config)), await look('write-ahead log', () => log(config))]
      : []),
    await look('integrity', () => integrity(db, full)),
    await look('foreign keys', () => foreignKeys(db)),
    await look('unused pages', () => unused(db)),
    await look('indexes of foreign keys', () => unindexedKeys(db)),
    await look('statistics', () => statistics(db)),
  ];
}

async function engine(db: Database): Promise<Look> {
  const version = await db.value<string>('select sqlite_version()');
  const cancellation = db.stats().sqlite?.['cancellation'];
  return warnIf(
    cancellation !== 'interrupt',
    `SQLite ${version}; running statements stop between rows only: native/interrupt.c is not built`,
    `SQLite ${version}; running statements can be stopped at once`,
  );
}

async function pragmas(db: Database): Promise<Look> {
  const names = [
    'journal_mode',
    'synchronous',
    'foreign_keys',
    'busy_timeout',
    'cache_size',
    'mmap_size',
    'page_size',
  ];
  const values = await Promise.all(names.map((name) => db.value(`pragma ${name}`)));
  return names.map((name, index) => `${name}=${String(values[index])}`).join(', ');
}

/**
 * Durable commits are as fast as the disk syncs: measured beside the database, on a file that is taken away.
 */
async function disk({ path }: ResolvedSqliteConfig): Promise<Look> {
  const { bavail, bsize } = await statfs(dirname(path));
  const free = bavail * bsize;
  const syncMs = await medianSyncMs(dirname(path));
  const message = `${megabytes(free)} free, a sync takes ${syncMs.toFixed(1)} ms`;
  if (free < LITTLE_SPACE_BYTES) return { status: 'warning', message: `${message}: little space` };
  return warnIf(syncMs > SLOW_SYNC_MS, `${message}: each durable commit waits for one`, message);
}

async function medianSyncMs(folder: string): Promise<number> {
  const path = join(folder, `.millpond-doctor-${process.pid}`);
  const file = await open(path, 'wx');
  try {
    const times: number[] = [];
    for (let count = 0; count < SYNCS; count += 1) {
      const startedAt = performance.now();
      await file.write(Buffer.alloc(4_096), 0, 4_096, 0);
      await file.sync();
      times.push(performance.now() - startedAt);
    }
    return times.sort((a, b) => a - b)[SYNCS / 2]!;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function log({ path, sqlite }: ResolvedSqliteConfig): Promise<Look> {
  const { size } = await stat(`${path}-wal`).catch(() => ({ size: 0 }));
  const limit = sqlite.journalSizeLimitBytes;
  return warnIf(
    size > limit,
    `${megabytes(size)}, above its limit of ${megabytes(limit)}: a reader may keep it from shrinking`,
    megabytes(size),
  );
}

async function integrity(db: Database, full: boolean): Promise<Look> {
  const check = full ? 'integrity_check' : 'quick_check';
  const answers = await db.all(`pragma ${check}(10)`, [], UNLIMITED);
  const texts = answers.map((row) => String(Object.values(row)[0]));
  return texts.join() === 'ok' ? `${check}: ok` : { status: 'failed', message: texts.join('; ') };
}

async function foreignKeys(db: Database): Promise<Look> {
  const broken = await db.all<{ table: string; parent: string }>('pragma foreign_key_check', [], UNLIMITED);
  if (broken.length === 0) return 'every row refers to one that is there';
  const pairs = [...new Set(broken.map(({ table, parent }) => `${table} → ${parent}`))]
    .slice(0, 5)
    .join(', ');
  return { status: 'failed', message: `${broken.length} rows refer to rows that are not there: ${pairs}` };
}

async function unused(db: Database): Promise<Look> {
  const [pages = 0, free = 0] = await Promise.all([
    db.value<number>('pragma page_count'),
    db.value<number>('pragma freelist_count'),
  ]);
  const part = pages === 0 ? 0 : free / pages;
  const message = `${Math.round(part * 100)} % of ${pages} pages`;
  return warnIf(
    part > MUCH_UNUSED && pages > 1_000,
    `${message}: VACUUM while the service is down gives them back`,
    message,
  );
}

/** Without an index, deleting a row of the parent reads the whole table that refers to it. */
async function unindexedKeys(db: Database): Promise<Look> {
  const keys = await db.all<{ child: string; column: string }>(
    `select m.name as child, f."from" as "column"
     from sqlite_schema m, pragma_foreign_key_list(m.name) f
     where m.type = 'table' and f.seq = 0 and not exists (
       select 1 from pragma_index_list(m.name) l, pragma_index_info(l.name) i
       where i.seqno = 0 and i.name = f."from")
       and not exists (select 1 from pragma_table_info(m.name) t where t.name = f."from" and t.pk = 1)`,
  );
  const shown = keys.map(({ child, column }) => `${child}.${column}`).join(', ');
  return warnIf(
    keys.length > 0,
    `no index begins with ${shown}: deletes of what they refer to read the whole table`,
    'all there',
  );
}

async function statistics(db: Database): Promise<Look> {
  const has = await db.value("select 1 from sqlite_schema where name = 'sqlite_stat1'");
  const indexes = await db.value<number>(
    "select count(*) from sqlite_schema where type = 'index' and sql is not null",
  );
  return warnIf(
    has === undefined && (indexes ?? 0) > 0,
    'none yet: the planner guesses. They are gathered when the database is closed in order',
    'there',
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
