import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MillpondError,
  ReadOnlyError,
  TransactionClosedError,
  TransactionError,
} from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, eventually, rejection, thingNames, thrownBy } from './expectations.ts';

export const TRANSACTION_BEHAVIOURS: Behaviours = {
  'commits when its function resolves, and gives what it gave (T2)': async ({ db }) => {
    const result = await db.transaction(async (tx) => {
      await addThing(tx, 1, 'a');
      return tx.value('select count(*) from things');
    });
    assert.equal(Number(result), 1);
    assert.deepEqual(await thingNames(db), ['a']);
  },

  'rolls back and passes on the very error of its function (T2)': async ({ db }) => {
    for (const mine of [new RangeError('mine'), 'a string', undefined]) {
      const thrown = await thrownBy(
        db.transaction(async (tx) => {
          await addThing(tx, 1);
          // oxlint-disable-next-line typescript/only-throw-error -- whatever is thrown passes unchanged
          throw mine;
        }),
      );
      assert.equal(thrown, mine);
    }
    const atOnce = new Error('before any promise');
    const failing = () => {
      throw atOnce;
    };
    assert.equal(await thrownBy(db.transaction(failing)), atOnce);
    assert.equal(await countThings(db), 0);
  },

  'takes the calls on its database that are made in it (P5)': async ({ db }) => {
    const repository = { add: (id: number) => addThing(db, id), count: () => countThings(db) };
    await rejection(
      db.transaction(async () => {
        await repository.add(1);
        await sleep(1);
        await Promise.all([repository.add(2), repository.add(3)]);
        await db.batch(["insert into things (id, name) values (4, 'd')"]);
        await db.script("insert into things (id, name) values (5, 'e')");
        assert.equal(await repository.count(), 5);
        throw new TransactionError('undo all that');
      }),
      TransactionError,
    );
    assert.equal(await repository.count(), 0);
  },

  'shows what it wrote to itself alone until it commits (B5)': async ({ db }) => {
    const tx = await db.begin();
    await addThing(tx, 1, 'a');
    assert.deepEqual(await thingNames(tx), ['a']);
    for (let round = 0; round < 8; round += 1) assert.deepEqual(await thingNames(db), []);
    await tx.commit();
    assert.deepEqual(await thingNames(db), ['a']);
  },

  'that is read-only refuses every write, by every call (J5)': async ({ db }) => {
    await addThing(db, 1, 'a');
    const write = "insert into things (id, name) values (2, 'b') returning id";
    for (const [kind, call] of Object.entries(CALLS)) {
      const work = db.transaction((tx) => call(tx, write), { readOnly: true });
      await rejection(work, ReadOnlyError).catch((cause) => assert.fail(`${kind}: ${String(cause)}`));
      await rejection(
        db.transaction(() => call(db, write), { readOnly: true }),
        ReadOnlyError,
      );
    }
    assert.deepEqual(await db.transaction((tx) => thingNames(tx), { readOnly: true }), ['a']);
    assert.deepEqual(await thingNames(db), ['a']);
  },

  'that is read-only sees one moment for all of its length (B5)': async ({ db }) => {
    await addThing(db, 1, 'a');
    await db.transaction(
      async (tx) => {
        assert.equal(await countThings(tx), 1);
        // A flow of its own: one inside the transaction would join it.
        const other = await db.begin();
        await addThing(other, 2, 'b');
        await other.commit();
        assert.equal(await countThings(tx), 1);
      },
      { readOnly: true, isolation: 'repeatable read' },
    );
    assert.equal(await countThings(db), 2);
  },

  'of 100 writers at once loses nothing that another wrote (T4)': {
    options: { transactionTimeoutMs: 60_000, pool: { acquireTimeoutMs: 60_000 } },
    check: async ({ db }) => {
      await addThing(db, 1, 'counter');
      const increment = () =>
        db.transaction(
          async (tx) => {
            const size = Number(await tx.value('select size from things where id = 1'));
            await tx.run('update things set size = :size where id = 1', { size: size + 1 });
          },
          { isolation: 'serializable', retry: { attempts: 100, maxDelayMs: 50 } },
        );
      await Promise.all(Array.from({ length: 100 }, increment));
      assert.equal(await db.value('select size from things where id = 1'), 100);
    },
  },

  'shows readers all of it or nothing (T4)': async ({ db }) => {
    const seen = new Set<number>();
    let writing = true;
    const watch = async () => {
      while (writing) {
        seen.add((await countThings(db)) % 3);
        await sleep(0);
      }
    };
    const watching = watch();
    for (let round = 0; round < 15; round += 1) {
      await db.transaction(async (tx) => {
        for (let part = 0; part < 3; part += 1) await addThing(tx, round * 3 + part);
      });
    }
    writing = false;
    await watching;
    assert.deepEqual([...seen], [0]);
  },

  'whose function left a call un-awaited is rolled back, and the error names the call (B8)': async ({
    db,
  }) => {
    const error = await rejection(
      db.transaction(async (tx) => {
        await addThing(tx, 1);
        void tx.run("insert into things (id, name) values (2, 'forgotten')").catch(() => undefined);
      }),
      TransactionError,
    );
    assert.equal(error.code, 'ERR_MILLPOND_UNAWAITED_QUERY');
    assert.match(error.message, /forgotten/);
    assert.equal(await countThings(db), 0);
  },

  'fences the calls that are still under way when one of them has failed (C30)': async ({ db }) => {
    for (let round = 0; round < 10; round += 1) {
      const late: Promise<unknown>[] = [];
      const mine = new Error('mine');
      const failing = db.transaction(async (tx) => {
        const calls = Array.from({ length: 8 }, (_, id) => addThing(tx, id));
        late.push(...calls.map((call) => call.catch((error: unknown) => error)));
        await Promise.all([...calls, Promise.reject(mine)]);
      });
      assert.equal(await thrownBy(failing), mine);
      for (const outcome of await Promise.all(late)) {
        assert.ok(outcome === undefined || outcome instanceof MillpondError, String(outcome));
      }
      assert.equal(await countThings(db), 0);
    }
  },

  'is tried again after an error that says it may pass, as often as was asked': async ({ db }) => {
    class Passing extends Error {
      readonly retryable = true;
    }
    let tries = 0;
    const work = async (failures: number, error: Error) => {
      tries += 1;
      await addThing(db, tries);
      if (tries <= failures) throw error;
    };
    const retry = { attempts: 3, minDelayMs: 0, maxDelayMs: 5 };
    await db.transaction(() => work(2, new Passing()), { retry });
    assert.deepEqual(await thingNames(db), ['thing 3']);
    tries = 10;
    assert.ok((await thrownBy(db.transaction(() => work(99, new Passing()), { retry }))) instanceof Passing);
    assert.equal(tries, 14);
    const mine = new Error('final');
    tries = 20;
    assert.equal(await thrownBy(db.transaction(() => work(99, mine), { retry })), mine);
    assert.equal(tries, 21);
    assert.deepEqual(await thingNames(db), ['thing 3']);
  },

  'keeps its outcome when what it waited for comes later (C28)': async ({ db }) => {
    let late: Promise<unknown> | undefined;
    await db.transaction(async () => {
      await addThing(db, 1);
      // Its context is that of the transaction, which has ended by then.
      late = sleep(30).then(() => addThing(db, 2));
      late.catch(() => undefined);
    });
    await rejection(late!, TransactionClosedError);
    assert.deepEqual(await thingNames(db), ['thing 1']);
  },

  'is counted once, by how it ended (B20)': async ({ db }) => {
    const before = db.stats().transactions;
    await db.transaction((tx) => addThing(tx, 1));
    await rejection(
      db.transaction((tx) => addThing(tx, 1)),
      MillpondError,
    );
    await db.transaction(() => undefined, { readOnly: true });
    const tx = await db.begin();
    const during = db.stats().transactions;
    assert.equal(during.active, 1);
    assert.equal(during.started, during.committed + during.rolledBack + during.unknown + during.active);
    await tx.rollback();
    await eventually(() => db.stats().transactions.active === 0, 'the end of the last transaction');
    const after = db.stats().transactions;
    assert.deepEqual(
      [
        after.committed - before.committed,
        after.rolledBack - before.rolledBack,
        after.started - before.started,
      ],
      [2, 2, 4],
    );
  },
};
