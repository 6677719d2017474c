import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  openDatabase,
  ConstraintError,
  ReadOnlyError,
  SelfDeadlockError,
  TimeoutError,
  withoutTransaction,
  type Database,
} from '../../src/index.ts';
import { liveWorkers } from '../fixtures/live-workers.ts';
import {
  expectAtRest,
  outcomes,
  rejection,
  scratchForAll,
  scratchPath,
} from '../fixtures/scratch-database.ts';

const SCHEMA = 'create table row (id integer primary key, note text not null)';
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10) select count(*) from n';

describe('with MILLPOND_POOLED=false (T6)', () => {
  beforeAll(() => {
    vi.stubEnv('MILLPOND_POOLED', 'false');
    return () => vi.unstubAllEnvs();
  });
  const scratch = scratchForAll(SCHEMA, { pool: { acquireTimeoutMs: 3_000 } });
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from row');
  });

  test('one thread has the only connection, and the whole API works on it', async () => {
    const { db } = scratch;
    expect(await db.run("insert into row (note) values ('a')")).toEqual({ rowsAffected: 1, lastInsertId: 1 });
    expect(
      await db.batch(["insert into row (note) values ('b')", 'select count(*) as n from row']),
    ).toMatchObject([{ rowsAffected: 1 }, { rows: [{ n: 2 }] }]);
    expect(await db.get('select note from row where id = ?', [2])).toEqual({ note: 'b' });
    expect(new TextDecoder().decode(await db.json('select id from row'))).toBe('[{"id":1},{"id":2}]');
    const streamed: unknown[] = [];
    for await (const row of db.stream('select note from row')) streamed.push(row['note']);
    expect(streamed).toEqual(['a', 'b']);
    await using lease = await db.acquire();
    expect(await lease.connection.value('select count(*) from row')).toBe(2);
    await lease.connection.run("insert into row (note) values ('c')");
    expect(db.stats().pool).toMatchObject({ size: 1, leased: 1, max: 1 });
    expect(liveWorkers()).toHaveLength(1);
  });

  test('100 callers at once take turns, and none is lost', async () => {
    const { db } = scratch;
    const calls = Array.from({ length: 100 }, async (_, index) => {
      if (index % 3 === 0) return db.run('insert into row (note) values (?)', [`run ${index}`]);
      if (index % 3 === 1) {
        return db.transaction(async (tx) => {
          const before = await tx.value<number>('select count(*) from row');
          await tx.run('insert into row (note) values (?)', [`after ${before}`]);
          return (await tx.value<number>('select count(*) from row'))! - before!;
        });
      }
      return db.value('select count(*) from row');
    });
    const told = await outcomes<unknown>(calls);
    expect(told.filter((one) => one instanceof Error)).toEqual([]);
    // Nobody wrote between the two counts of a transaction.
    expect(told.filter((_, index) => index % 3 === 1)).toEqual(new Array(33).fill(1));
    expect(await db.value('select count(*) from row')).toBe(67);
  });

  test('a failed write, a rollback and a read-only transaction are what they are with a pool', async () => {
    const { db } = scratch;
    expect(await rejection(db.run('insert into row (note) values (null)'))).toBeInstanceOf(ConstraintError);
    const undone = db.transaction(async (tx) => {
      await tx.run("insert into row (note) values ('x')");
      throw new Error('expected');
    });
    expect((await rejection(undone)).message).toBe('expected');
    const write = db.transaction((tx) => tx.run("insert into row (note) values ('x')"), { readOnly: true });
    expect(await rejection(write)).toBeInstanceOf(ReadOnlyError);
    // The connection may write again.
    expect(await db.run("insert into row (note) values ('y')")).toMatchObject({ rowsAffected: 1 });
    expect(await db.all('select note from row')).toEqual([{ note: 'y' }]);
  });

  test('a read without end stops at its limit, and the connection goes on (C23)', async () => {
    const { db } = scratch;
    expect(await rejection(db.value(ENDLESS, [], { timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
    expect(await db.value('select 1')).toBe(1);
  });

  /** Each of them needs the one connection, which the transaction around it holds. */
  const outside: Record<string, (db: Database) => Promise<unknown>> = {
    'a read': (db) => withoutTransaction(() => db.value('select count(*) from row')),
    'a stream': (db) => withoutTransaction(() => db.stream('select * from row').next()),
    'a write': (db) => withoutTransaction(() => db.run("insert into row (note) values ('x')")),
    'a lease': (db) => db.acquire(),
    'a read transaction': (db) =>
      db.transaction((tx) => tx.value('select 1'), { readOnly: true, propagation: 'requires-new' }),
    'a copy': (db) => db.backup(`${scratch.path}.copy`),
  };

  test.each(Object.keys(outside))(
    '%s outside of the transaction that it runs in is refused at once (C33)',
    async (name) => {
      const { db } = scratch;
      for (const readOnly of [false, true]) {
        const startedAt = performance.now();
        let error: unknown;
        await db.transaction(
          async () => {
            error = await rejection(outside[name]!(db));
          },
          { readOnly },
        );
        expect(performance.now() - startedAt, `readOnly ${readOnly}`).toBeLessThan(10_000);
        expect(error, `readOnly ${readOnly}`).toBeInstanceOf(SelfDeadlockError);
      }
    },
  );

  test('the rows of a streamed write come when it is committed (B1)', async () => {
    const { db } = scratch;
    const other = new DatabaseSync(scratch.path, { readOnly: true });
    const rows = db.stream("insert into row (note) values ('a'), ('b') returning note");
    expect(await rows.next()).toEqual({ done: false, value: { note: 'a' } });
    expect(other.prepare('select count(*) as n from row').get()).toEqual({ n: 2 });
    await rows.return!();
    other.close();
  });
});

describe('a database in memory', () => {
  test('has one connection, and loses nothing for as long as it is open (T6)', async () => {
    const db = await openDatabase({ url: 'sqlite::memory:', name: false, log: 'silent' });
    onTestFinished(() => db.close());
    await db.script(SCHEMA);
    const path = scratchPath();
    await db.run("insert into row (note) values ('kept')");
    await db.backup(path);
    const copy = new DatabaseSync(path, { readOnly: true });
    expect(copy.prepare('select note from row').all()).toEqual([{ note: 'kept' }]);
    copy.close();
    expect(db.stats().pool).toMatchObject({ max: 1, size: 1 });
    await expectAtRest(db);
  });
});
