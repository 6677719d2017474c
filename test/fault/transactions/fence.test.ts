import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { kill, liveWorkers } from '../../fixtures/live-workers.ts';
import {
  onCommit,
  TransactionClosedError,
  withoutTransaction,
  type Database,
  type Transaction,
} from '../../../src/index.ts';
import {
  expectAtRest,
  openScratch,
  outcomes,
  rejection,
  scratchForAll,
} from '../../fixtures/scratch-database.ts';

const SCHEMA = 'create table row (id integer primary key, note text)';
const INSERT = "insert into row (note) values ('escaped')";

/** Every way to use a handle. */
const USES: Record<string, (tx: Transaction) => Promise<unknown>> = {
  run: (tx) => tx.run(INSERT),
  all: (tx) => tx.all(`${INSERT} returning id`),
  get: (tx) => tx.get(`${INSERT} returning id`),
  value: (tx) => tx.value(`${INSERT} returning id`),
  json: (tx) => tx.json(`${INSERT} returning id`),
  batch: (tx) => tx.batch([INSERT]),
  script: (tx) => tx.script(INSERT),
  stream: (tx) => tx.stream(`${INSERT} returning id`).next(),
  read: (tx) => tx.value('select count(*) from row'),
  flush: (tx) => tx.flush(),
  transaction: (tx) => tx.transaction((inner) => inner.run(INSERT)),
  begin: (tx) => tx.begin(),
  commitAndContinue: (tx) => tx.commitAndContinue(),
};

/** Every way for a transaction to end. Each gives the handle back, and the context it had. */
const ENDS: Record<string, (db: Database) => Promise<Ended>> = {
  commit: (db) => endedBy(db, async (tx) => void (await tx.run("insert into row values (1, 'committed')"))),
  'a function that throws': (db) =>
    endedBy(db, async (tx) => {
      await tx.run("insert into row values (1, 'undone')");
      throw new Error('expected');
    }),
  timeout: (db) => endedBy(db, () => sleep(1_000, undefined, { ref: false }), { timeoutMs: 10 }),
  'an aborted signal': (db) => {
    const leaving = new AbortController();
    const work = async (): Promise<void> => {
      setTimeout(() => leaving.abort(), 10);
      await sleep(1_000, undefined, { ref: false });
    };
    return endedBy(db, work, { signal: leaving.signal });
  },
  'the death of its thread': (db) =>
    endedBy(db, async (tx) => {
      await tx.run(INSERT);
      for (const worker of liveWorkers('writer')) kill(worker, 'terminate');
      await sleep(1_000, undefined, { ref: false });
    }),
  'an automatic rollback of SQLite': (db) =>
    endedBy(db, async (tx) => {
      await tx.run("insert into row values (2, 'first')");
      await tx.run("insert or rollback into row values (2, 'again')");
    }),
  'commit by hand': async (db) => {
    const tx = await db.begin();
    await tx.run("insert into row values (1, 'committed')");
    await tx.commit();
    return { tx, inContext: () => Promise.reject(new Error('it has none')) };
  },
  'rollback by hand': async (db) => {
    const tx = await db.begin();
    await tx.run(INSERT);
    await tx.rollback();
    return { tx, inContext: () => Promise.reject(new Error('it has none')) };
  },
  'the end of its scope': async (db) => {
    let tx!: Transaction;
    {
      await using scoped = await db.begin();
      await scoped.run(INSERT);
      tx = scoped;
    }
    return { tx, inContext: () => Promise.reject(new Error('it has none')) };
  },
};

interface Ended {
  readonly tx: Transaction;
  /** Runs in the async context that the transaction's function had. */
  inContext<T>(work: () => Promise<T>): Promise<T>;
}

async function endedBy(
  db: Database,
  work: (tx: Transaction) => Promise<void>,
  options?: Parameters<Database['transaction']>[1],
): Promise<Ended> {
  let tx!: Transaction;
  let resource!: AsyncResource;
  await db
    .transaction((handle) => {
      tx = handle;
      resource = new AsyncResource('late work');
      return work(handle);
    }, options)
    .catch(() => undefined);
  return { tx, inContext: (late) => resource.runInAsyncScope(late) };
}

describe('a transaction that has ended', () => {
  const scratch = scratchForAll(SCHEMA);
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from row');
  });

  test.each(Object.keys(ENDS))(
    'by %s refuses every use of its handle, and nothing is written (C28)',
    async (end) => {
      const { db } = scratch;
      const { tx } = await ENDS[end]!(db);
      const before = await db.all('select * from row');
      for (const [use, send] of Object.entries(USES)) {
        // From another request, from a timer, and at once.
        const errors = [
          await rejection(withoutTransaction(() => send(tx))),
          await rejection(sleep(1).then(() => send(tx))),
          await rejection(send(tx)),
        ];
        for (const error of errors) expect(error, use).toBeInstanceOf(TransactionClosedError);
      }
      expect(await db.all('select * from row')).toEqual(before);
    },
  );

  test.each(['commit', 'a function that throws', 'timeout', 'an aborted signal', 'the death of its thread'])(
    'by %s refuses late calls of its context on the database too (C28)',
    async (end) => {
      const { db } = scratch;
      const { inContext } = await ENDS[end]!(db);
      const before = await db.all('select * from row');
      const late: Record<string, () => Promise<unknown>> = {
        run: () => db.run(INSERT),
        all: () => db.all(`${INSERT} returning id`),
        batch: () => db.batch([INSERT]),
        script: () => db.script(INSERT),
        stream: () => db.stream('select * from row').next(),
        read: () => db.value('select count(*) from row'),
        transaction: () => db.transaction((tx) => tx.run(INSERT)),
        nested: () => db.transaction((tx) => tx.run(INSERT), { propagation: 'nested' }),
      };
      for (const [use, send] of Object.entries(late)) {
        expect(await rejection(inContext(send)), use).toBeInstanceOf(TransactionClosedError);
      }
      expect(await db.all('select * from row')).toEqual(before);
      // What steps out on purpose, and says so, is allowed.
      await inContext(() => withoutTransaction(() => db.run("insert into row (note) values ('on purpose')")));
      await inContext(() => db.transaction(() => Promise.resolve(), { propagation: 'requires-new' }));
      expect(await db.value("select count(*) from row where note = 'on purpose'")).toBe(1);
    },
  );

  test('refuses what its function left running: timers, emitters, un-awaited promises (C28)', async () => {
    const { db } = scratch;
    const errors: Promise<Error>[] = [];
    const emitter = new EventEmitter();
    await db.transaction(async () => {
      // Before the timers: a machine that is busy takes longer for it than they wait.
      await db.run("insert into row values (1, 'kept')");
      const write = (): void => void errors.push(rejection(db.run(INSERT)));
      setTimeout(write, 5);
      setImmediate(() => setTimeout(write, 2));
      emitter.on('later', AsyncResource.bind(write));
      void nextTurn()
        .then(() => sleep(3))
        .then(write);
    });
    emitter.emit('later');
    await sleep(40);
    expect(await Promise.all(errors)).toHaveLength(4);
    for (const error of await Promise.all(errors)) expect(error).toBeInstanceOf(TransactionClosedError);
    expect(await db.all('select note from row')).toEqual([{ note: 'kept' }]);
  });

  test('is refused where it forgot to await a call, and the call is named (C28)', async () => {
    const { db } = scratch;
    const forgotten: Promise<unknown>[] = [];
    const error = await rejection(
      db.transaction(async (tx) => {
        await tx.run("insert into row values (1, 'before')");
        forgotten.push(tx.run(INSERT, [], { name: 'addNote' }).catch((reason: unknown) => reason));
      }),
    );
    expect(error['code']).toBe('ERR_MILLPOND_UNAWAITED_QUERY');
    expect(error.message).toContain('addNote');
    expect(error.message).toContain('fence.test.ts');
    // It may have been done before the fence fell; then it was undone, and must not look like a success.
    expect((await Promise.all(forgotten))[0]).toBeInstanceOf(Error);
    expect(await db.all('select * from row')).toEqual([]);
  });

  test('lets its onCommit callbacks write, outside of it (C28)', async () => {
    const { db } = scratch;
    await db.transaction(async () => {
      onCommit(() => db.run("insert into row (note) values ('after')"));
      await db.run("insert into row (note) values ('in')");
    });
    expect(await db.all('select note from row order by id')).toEqual([{ note: 'in' }, { note: 'after' }]);
  });

  test('does not close another one on the same connection (C28)', async () => {
    const { db } = scratch;
    const { tx: dead } = await ENDS['commit']!(db);
    await db.transaction(async (live) => {
      await live.run("insert into row values (7, 'live')");
      const refused = await Promise.all(Object.values(USES).map((use) => rejection(use(dead))));
      expect(refused.every((error) => error instanceof TransactionClosedError)).toBe(true);
      expect(await rejection(dead.commit())).toBeInstanceOf(Error);
      await live.run("insert into row values (8, 'live')");
    });
    expect(await db.all("select id from row where note = 'live'")).toEqual([{ id: 7 }, { id: 8 }]);
  });
});

describe('a transaction that SQLite itself has ended', () => {
  const scratch = scratchForAll(SCHEMA);
  const UNDOING = "insert or rollback into row values (1, 'again')";
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from row');
  });

  test.each(Object.keys(USES))(
    'runs nothing in autocommit that was sent with the failing statement, or after it: %s (C28, B8)',
    async (use) => {
      const { db } = scratch;
      const send = (tx: Transaction): Promise<unknown> => USES[use]!(tx);
      const orders: Record<string, (tx: Transaction) => Promise<unknown>> = {
        'in the same message': (tx) => outcomes([tx.run(UNDOING), send(tx)]),
        'by who shrugs its error off': (tx) => rejection(tx.run(UNDOING)).then(() => outcomes([send(tx)])),
      };
      for (const [order, work] of Object.entries(orders)) {
        const error = await rejection(
          db.transaction(async (tx) => {
            await tx.run("insert into row values (1, 'first')");
            await work(tx);
          }),
        );
        expect(error, order).toBeInstanceOf(Error);
        expect(await db.all('select * from row'), order).toEqual([]);
      }
    },
  );
});

describe('a handle of a closed database', () => {
  test('is refused like one of a transaction that has ended (C28, C56)', async () => {
    const { db } = await openScratch(SCHEMA);
    const tx = await db.begin();
    await tx.run(INSERT);
    await db.close({ timeoutMs: 0 });
    for (const [use, send] of Object.entries(USES)) {
      expect(await rejection(send(tx)), use).toBeInstanceOf(TransactionClosedError);
    }
  });
});
