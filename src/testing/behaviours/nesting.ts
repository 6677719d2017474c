import assert from 'node:assert/strict';
import {
  ConstraintError,
  ReadOnlyError,
  SelfDeadlockError,
  TransactionError,
  UsageError,
} from '../../errors/index.ts';
import { withoutTransaction, type Transaction } from '../../transaction/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, rejection, thingNames, thrownBy } from './expectations.ts';

const mine = new Error('mine');

/** Adds a thing and fails. */
async function addAndFail(tx: Transaction | undefined, id: number): Promise<never> {
  await addThing(tx!, id);
  throw mine;
}

export const NESTING_BEHAVIOURS: Behaviours = {
  'that is nested and fails is undone alone': async ({ db }) => {
    await db.transaction(async (tx) => {
      await addThing(tx, 1);
      assert.equal(await thrownBy(tx.transaction((inner) => addAndFail(inner, 2))), mine);
      assert.equal(
        await thrownBy(db.transaction((inner) => addAndFail(inner, 3), { propagation: 'nested' })),
        mine,
      );
      await rejection(
        tx.transaction((inner) => addThing(inner, 1)),
        ConstraintError,
      );
      await addThing(tx, 4);
    });
    assert.deepEqual(await thingNames(db), ['thing 1', 'thing 4']);
  },

  'that is nested and succeeds is undone with the one around it': async ({ db }) => {
    const failing = db.transaction(async (tx) => {
      await tx.transaction((inner) => addThing(inner, 1));
      assert.equal(await countThings(tx), 1);
      throw mine;
    });
    assert.equal(await thrownBy(failing), mine);
    assert.equal(await countThings(db), 0);
  },

  'may be nested deeply, and each level ends as it ends (C31)': async ({ db }) => {
    const nest = async (tx: Transaction, level: number): Promise<void> => {
      await addThing(tx, level);
      if (level === 60) return;
      // Every seventh level fails with all that is below it.
      const fails = (level + 1) % 7 === 0 && level > 40;
      const inner = tx.transaction(async (deeper) => {
        await nest(deeper, level + 1);
        if (fails) throw mine;
      });
      if (fails) assert.equal(await thrownBy(inner), mine);
      else await inner;
    };
    await db.transaction((tx) => nest(tx, 1));
    assert.equal(await countThings(db), 41);
  },

  'nests in turn when several are nested at once': async ({ db }) => {
    await db.transaction(async (tx) => {
      const parts = Array.from({ length: 12 }, (_, id) =>
        tx.transaction((inner) => (id % 3 === 0 ? addAndFail(inner, id) : addThing(inner, id))),
      );
      const outcomes = await Promise.allSettled(parts);
      assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 4);
    });
    assert.equal(await countThings(db), 8);
  },

  'joins the running one by default: when a joined part fails, the whole cannot commit': async ({ db }) => {
    await db.transaction(async () => {
      await db.transaction((tx) => addThing(tx, 1));
      assert.equal(await countThings(db), 1);
    });
    assert.equal(await countThings(db), 1);
    const doomed = db.transaction(async () => {
      assert.equal(await thrownBy(db.transaction((tx) => addAndFail(tx, 2))), mine);
    });
    const error = await rejection(doomed, TransactionError);
    assert.equal(error.code, 'ERR_MILLPOND_ROLLBACK_ONLY');
    assert.equal(error.cause, mine);
    assert.equal(await countThings(db), 1);
  },

  "joins with 'mandatory', which refuses to be called outside": async ({ db }) => {
    const mandatory = () => db.transaction((tx) => addThing(tx, 1), { propagation: 'mandatory' });
    await rejection(mandatory(), UsageError);
    await db.transaction(mandatory);
    assert.equal(await countThings(db), 1);
  },

  "is none with 'never', which refuses to be called inside": async ({ db }) => {
    const never = () => db.transaction((tx) => tx, { propagation: 'never' });
    assert.equal(await never(), undefined);
    await db.transaction(async () => {
      await rejection(never(), UsageError);
    });
  },

  "is the running one, or none, with 'supports'": async ({ db }) => {
    const supports = () => db.transaction((tx) => tx?.id, { propagation: 'supports' });
    assert.equal(await supports(), undefined);
    await db.transaction(async (tx) => assert.equal(await supports(), tx.id));
  },

  "is left with 'not-supported' and withoutTransaction(): what is read there was committed": async ({
    db,
  }) => {
    await db.transaction(async (tx) => {
      await addThing(tx, 1);
      const outside = await db.transaction(() => countThings(db), { propagation: 'not-supported' });
      assert.equal(outside, 0);
      assert.equal(await withoutTransaction(() => countThings(db)), 0);
      assert.equal(await countThings(db), 1);
    });
  },

  "of its own with 'requires-new' commits alone, or is refused at once where it would wait for itself (C33)":
    async ({ db }) => {
      const startedAt = performance.now();
      let refused = false;
      await thrownBy(
        db.transaction(async (tx) => {
          await addThing(tx, 1, 'outer');
          const inner = db.transaction((own) => addThing(own, 2, 'inner'), { propagation: 'requires-new' });
          const [outcome] = await Promise.allSettled([inner]);
          if (outcome.status === 'rejected') {
            refused = true;
            assert.ok(outcome.reason instanceof SelfDeadlockError, String(outcome.reason));
            assert.match(outcome.reason.message, /Held since[^]*at /);
          }
          throw mine;
        }),
      );
      assert.ok(performance.now() - startedAt < 2_000, 'it waited');
      assert.deepEqual(await thingNames(db), refused ? [] : ['inner']);
    },

  'is refused at once where it would wait for what its own flow holds (B10, C33)': {
    options: { pool: { max: 1 } },
    check: async ({ db }) => {
      const startedAt = performance.now();
      await db.transaction(async () => {
        await rejection(
          withoutTransaction(() => db.begin()),
          SelfDeadlockError,
        );
      });
      await db.transaction(
        async () => {
          const again = () =>
            db.transaction(() => undefined, { readOnly: true, propagation: 'requires-new' });
          await rejection(again(), SelfDeadlockError);
          await rejection(
            withoutTransaction(() => db.acquire()),
            SelfDeadlockError,
          );
        },
        { readOnly: true },
      );
      assert.ok(performance.now() - startedAt < 2_000, 'it waited');
    },
  },

  'that reads only and joined one that writes refuses every write, by every call (J5)': async ({ db }) => {
    const write = "insert into things (id, name) values (2, 'b') returning id";
    for (const [kind, call] of Object.entries(CALLS)) {
      const whole = db.transaction(async () => {
        await addThing(db, 1);
        await db.transaction((tx) => call(tx, write), { readOnly: true });
      });
      await rejection(whole, ReadOnlyError).catch((cause) => assert.fail(`${kind}: ${String(cause)}`));
    }
    await db.transaction(async (tx) => {
      await tx.script('create table made_here (id integer primary key)');
      const reading = { readOnly: true } as const;
      assert.equal(
        Number(await db.transaction(() => db.value('select count(*) from made_here'), reading)),
        0,
      );
      await tx.script('drop table made_here');
    });
    assert.equal(await countThings(db), 0);
  },

  'that reads only may join one that writes, and must not write there (J5)': async ({ db }) => {
    await db.transaction(async () => {
      await addThing(db, 1);
      assert.equal(await db.transaction((tx) => countThings(tx), { readOnly: true }), 1);
    });
    const writing = db.transaction(async () => {
      await db.transaction((tx) => addThing(tx, 2), { readOnly: true });
    });
    assert.ok((await thrownBy(writing)) instanceof Error);
    assert.equal(await countThings(db), 1);
  },
};
