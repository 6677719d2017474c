import { afterEach, describe, expect, test } from 'vitest';
import { onCommit, SelfDeadlockError, withoutTransaction, type Database } from '../../../src/index.ts';
import {
  expectAtRest,
  openScratch,
  outcomes,
  rejection,
  scratchForAll,
} from '../../fixtures/scratch-database.ts';

const SCHEMA = 'create table row (id integer primary key, note text)';
const INSERT = "insert into row (note) values ('second')";
/** Less than the shortest wait that a second request could have. */
const AT_ONCE_MS = 4_000;

/** What would wait for the writer that its own flow holds. */
const WRITES: Record<string, (db: Database) => Promise<unknown>> = {
  'a write': (db) => withoutTransaction(() => db.run(INSERT)),
  'a write that returns rows': (db) => withoutTransaction(() => db.all(`${INSERT} returning id`)),
  'a stream of a write': (db) => withoutTransaction(() => db.stream(`${INSERT} returning id`).next()),
  'a batch': (db) => withoutTransaction(() => db.batch([INSERT])),
  'a script': (db) => withoutTransaction(() => db.script(INSERT)),
  'a transaction of its own': (db) => db.transaction((tx) => tx.run(INSERT), { propagation: 'requires-new' }),
  'a transaction outside': (db) => withoutTransaction(() => db.transaction((tx) => tx.run(INSERT))),
  'a transaction begun by hand': (db) => db.begin(),
  'a write on a lease': (db) =>
    withoutTransaction(async () => {
      await using lease = await db.acquire();
      return await lease.connection.run(INSERT);
    }),
};

describe('inside a transaction that holds the only writer', () => {
  const scratch = scratchForAll(SCHEMA, { pool: { acquireTimeoutMs: 5_000 } });
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from row');
  });

  test.each(Object.keys(WRITES))(
    '%s is refused at once, with both places, and the transaction goes on (C33)',
    async (name) => {
      const { db } = scratch;
      const startedAt = performance.now();
      let error: unknown;
      await db.transaction(async function takesTheWriter() {
        await db.run("insert into row (note) values ('first')");
        error = await rejection(WRITES[name]!(db));
      });
      expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
      expect(error).toBeInstanceOf(SelfDeadlockError);
      const { message, stack } = error as Error;
      // Where the writer was taken; where it was asked for again is in the error's own stack.
      expect(message).toContain('self-deadlock.test.ts');
      expect(stack).toContain('self-deadlock.test.ts');
      expect(await db.all('select note from row')).toEqual([{ note: 'first' }]);
    },
  );

  test('reads elsewhere go on: they need no writer (C33)', async () => {
    const { db } = scratch;
    await db.run("insert into row (note) values ('before')");
    await db.transaction(async () => {
      await db.run("insert into row (note) values ('inside')");
      // What is not committed is seen inside alone.
      expect(await withoutTransaction(() => db.value('select count(*) from row'))).toBe(1);
      const snapshot = { propagation: 'requires-new', readOnly: true } as const;
      expect(await db.transaction((tx) => tx.value('select count(*) from row'), snapshot)).toBe(1);
      await using lease = await withoutTransaction(() => db.acquire());
      expect(await lease.connection.value('select count(*) from row')).toBe(1);
      expect(await db.value('select count(*) from row')).toBe(2);
    });
  });

  test('a write that is left to onCommit is made (C33)', async () => {
    const { db } = scratch;
    await db.transaction(async () => {
      onCommit(() => withoutTransaction(() => db.run(INSERT)));
      await db.run("insert into row (note) values ('first')");
    });
    expect(await db.all('select note from row')).toEqual([{ note: 'first' }, { note: 'second' }]);
  });

  test('a write of another flow waits its turn, and is no deadlock (C33)', async () => {
    const { db } = scratch;
    const others: Promise<unknown>[] = [];
    const gate = Promise.withResolvers<void>();
    const holder = db.transaction(async () => {
      await gate.promise;
      await db.run("insert into row (note) values ('first')");
    });
    others.push(
      db.run(INSERT),
      db.transaction((tx) => tx.run(INSERT)),
    );
    gate.resolve();
    await holder;
    expect((await outcomes(others)).filter((one) => one instanceof Error)).toEqual([]);
    expect(await db.value('select count(*) from row')).toBe(3);
  });
});

describe('with as many read transactions as there are readers', () => {
  test('each that needs a second reader is refused at once; nobody waits for ever (C33)', async () => {
    const readers = 2;
    const { db } = await openScratch(SCHEMA, { pool: { max: readers } });
    const startedAt = performance.now();
    const all = Promise.withResolvers<void>();
    let holding = 0;
    const nested = (): Promise<unknown> =>
      db.transaction(
        async (tx) => {
          await tx.value('select count(*) from row');
          if (++holding === readers) all.resolve();
          await all.promise;
          const inner = { readOnly: true, propagation: 'requires-new' } as const;
          return db.transaction((again) => again.value('select count(*) from row'), inner);
        },
        { readOnly: true },
      );
    const told = await outcomes(Array.from({ length: readers }, nested));
    for (const one of told) expect(one).toBeInstanceOf(SelfDeadlockError);
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
    await expectAtRest(db);
  });

  test('a plain read of the same flow joins, and needs none (C33)', async () => {
    const { db } = await openScratch(SCHEMA, { pool: { max: 1 } });
    const counts = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.transaction(
          async () => {
            const rows = await db.all('select id from row');
            return rows.length + (await db.value<number>('select count(*) from row'))!;
          },
          { readOnly: true },
        ),
      ),
    );
    expect(counts).toEqual(new Array(20).fill(0));
    await expectAtRest(db);
  });
});
