import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/index.ts';
import {
  expectAtRest,
  openScratch,
  rejection,
  scratchForAll,
  underWay,
} from '../fixtures/scratch-database.ts';

const ROWS = 5_000;
const SCHEMA = `
  create table row (id integer primary key, note text);
  insert into row with recursive n (i) as (select 1 union all select i + 1 from n where i < ${ROWS}) select i, 'first' from n;
`;
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10) select count(*) from n';

describe('a lease', () => {
  const scratch = scratchForAll(SCHEMA, { pool: { max: 1, leakAfterMs: 150 } });
  afterEach(() => expectAtRest(scratch.db));

  test('goes back at the end of its scope, in every outcome (S3, S4)', async () => {
    const { db } = scratch;
    const holders = (): string[] => db.leases().map(({ holder }) => holder);
    const use = async (fail: boolean): Promise<unknown> => {
      await using lease = await db.acquire({ name: 'report' });
      expect(holders()).toContain('report');
      expect(underWay(db).leased).toBeGreaterThan(0);
      if (fail) throw new Error('expected');
      return await lease.connection.value('select count(*) from row');
    };
    expect(await use(false)).toBe(ROWS);
    expect((await rejection(use(true))).message).toBe('expected');
    expect(holders()).not.toContain('report');
  });

  test("is nobody's once a call was answered: the figures show it free at once (S4, T5, B11)", async () => {
    const { db } = scratch;
    const calls = [
      () => db.all('select id from row where id < 9'),
      () => db.json('select id from row where id < 9'),
      () => db.run("update row set note = 'first' where id = 1"),
      () => db.batch(["update row set note = 'first' where id = 1", 'select 1']),
      () => db.script('select 1; select 2'),
      () => rejection(db.all('select missing from row')),
      () => db.transaction(() => db.run("update row set note = 'first' where id = 1")),
      () =>
        Promise.all(Array.from({ length: 30 }, (_, id) => db.get('select note from row where id = ?', [id]))),
    ];
    for (const call of calls) {
      await call();
      expect([db.stats().pool.leased, db.leases()]).toEqual([0, []]);
    }
  });

  test('refuses its connection from then on, and stops what was under way on it (C28, C43)', async () => {
    const { db } = scratch;
    const lease = await db.acquire();
    const endless = rejection(lease.connection.value(ENDLESS));
    await sleep(20);
    lease.release();
    lease.release();
    expect(await endless).toBeInstanceOf(UsageError);
    const late = await rejection(lease.connection.value('select 1'));
    expect(late['code']).toBe('ERR_MILLPOND_LEASE_RELEASED');
    // The next taker has a connection that does nothing else.
    await using next = await db.acquire();
    expect(await next.connection.value('select 2')).toBe(2);
  });

  test('ends its streams: the next taker sees what is committed, not their snapshot (C28, C43)', async () => {
    const { db } = scratch;
    const lease = await db.acquire();
    const { connection } = lease;
    const rows = connection.stream<{ id: number }>('select id from row');
    for (let read = 0; read < 300; read += 1) await rows.next();
    // The rows read ahead are here by now.
    await sleep(50);
    await db.run("update row set note = 'second' where id = 1");
    lease.release();
    await using next = await db.acquire();
    expect(next.connection.id).toBe(connection.id);
    expect(await next.connection.value('select note from row where id = 1')).toBe('second');
    const readOn = async (): Promise<void> => {
      while ((await rows.next()).done !== true);
    };
    expect(await rejection(readOn())).toMatchObject({ code: 'ERR_MILLPOND_LEASE_RELEASED' });
  });

  test('of a reader sends its writes to the writer, which its next read sees (B5)', async () => {
    const { db } = scratch;
    await using lease = await db.acquire();
    const { lastInsertId } = await lease.connection.run("insert into row (note) values ('mine')");
    expect(await lease.connection.value('select note from row where id = ?', [lastInsertId])).toBe('mine');
    await lease.connection.batch([['delete from row where id = ?', [lastInsertId]]]);
    expect(await lease.connection.value('select count(*) from row')).toBe(ROWS);
  });

  test('that nobody gives back is reported with its taker, and again when it comes back (S4, B11)', async () => {
    const { db } = scratch;
    const reports: { takenAt: string }[] = [];
    db.on('pool:leak', (event) => reports.push(event));
    db.on('pool:leak-returned', (event) => reports.push(event));
    const lease = await db.acquire();
    while (reports.length === 0) await sleep(20);
    lease.release();
    expect(reports).toHaveLength(2);
    for (const { takenAt } of reports) expect(takenAt).toContain('leases.test.ts');
  });

  test('held by a transaction is shown with where it was begun, also to callers that wait in vain (J10)', async () => {
    const { db } = scratch;
    await using tx = await db.begin({ name: 'import', readOnly: true });
    const [held] = db.leases();
    expect(held).toMatchObject({ holder: 'transaction "import"' });
    expect(held!.takenAt).toContain('leases.test.ts');
    const error = await rejection(db.acquire({ timeoutMs: 0 }));
    expect(error.message).toMatch(/taken by transaction "import" at .*leases\.test\.ts/);
    await tx.rollback();
  });

  test('is counted in the pool that messages name, and in the sum of all (S4, J10)', async () => {
    const { db } = scratch;
    await using lease = await db.acquire();
    expect(await lease.connection.value('select 1')).toBe(1);
    const { pool, pools = {} } = db.stats();
    const [readers, express, writer] = ['', ':express', ':writer'].map((part) => pools[`${db.name}${part}`]!);
    expect([readers!.max, express!.max, writer!.max, pool.max]).toEqual([1, 2, 1, 4]);
    expect([readers!.leased, express!.leased, writer!.leased, pool.leased]).toEqual([1, 0, 0, 1]);
  });
});

test('of SQLite, readers that pool.min asks for are open before somebody wants them', async () => {
  const { db } = await openScratch(SCHEMA, { pool: { min: 2, max: 3 } });
  const readers = () => db.stats().pools![db.name]!;
  while (readers().size < 2) await sleep(5);
  expect(readers()).toMatchObject({ size: 2, idle: 2, max: 3 });
  await expectAtRest(db);
});
