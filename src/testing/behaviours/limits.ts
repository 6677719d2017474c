import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPoolExhaustedError, TimeoutError, TransactionClosedError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import {
  addThing,
  CALLS,
  countThings,
  numbersUpTo,
  rejection,
  SLOW_READ,
  SLOW_WRITE,
  thrownBy,
} from './expectations.ts';

/** What a limit may take longer than it says: the grace for stopping the statement, and a busy machine. */
const SLACK_MS = 2_500;

async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < limitMs + SLACK_MS, `took ${Math.round(tookMs)} ms, not ${limitMs} ms`);
  return result;
}

/**
 * A call that was given up before the engine confirmed it may still take effect once it is unblocked. On a
 * busy machine the default grace is too short for the confirmation.
 */
const PATIENT = { cancelGraceMs: 5_000 };

export const LIMIT_BEHAVIOURS: Behaviours = {
  'stops a read that runs longer, by whichever call (B9, X3)': async ({ db }) => {
    for (const [kind, call] of Object.entries(CALLS)) {
      const stopped = () => rejection(call(db, SLOW_READ, { timeoutMs: 40, name: 'slow' }), TimeoutError);
      const error = await within(40, stopped);
      assert.equal(error.timeoutMs, 40, kind);
      assert.match(error.message, /40 ms/, kind);
    }
  },

  'stops a write that runs longer, and nothing of it is there, then or later (B9)': async ({ db }) => {
    for (const [kind, call] of Object.entries(CALLS)) {
      const stopped = () => rejection(call(db, SLOW_WRITE, { timeoutMs: 40 }), TimeoutError);
      const error = await within(40, stopped);
      assert.ok(error.rollback === 'confirmed' || error.rollback === 'pending', kind);
    }
    assert.equal(await countThings(db), 0);
    await sleep(20);
    assert.equal(await countThings(db), 0);
  },

  'ends the wait of a call whose turn does not come (B10)': {
    options: PATIENT,
    check: async ({ db }) => {
      const tx = await db.begin();
      await addThing(tx, 1);
      for (const [kind, call] of Object.entries(CALLS)) {
        const write = "insert into things (id, name) values (1, 'waits') returning id";
        const waited = () => rejection(call(db, write, { timeoutMs: 40 }), TimeoutError);
        const error = await within(40, waited);
        assert.notEqual(error.rollback, 'pending', kind);
      }
      await tx.rollback();
      assert.equal(await countThings(db), 0);
    },
  },

  'of 0 is none': async ({ db }) => {
    assert.equal(Number(await db.value(numbersUpTo(400_000, 'count(*)'), [], { timeoutMs: 0 })), 400_000);
  },

  'is that of the database where the call gives none': {
    options: { queryTimeoutMs: 60 },
    check: async ({ db }) => {
      const error = await within(60, () => rejection(db.value(SLOW_READ), TimeoutError));
      assert.equal(error.timeoutMs, 60);
      assert.equal(
        Number(await db.value(numbersUpTo(400_000, 'count(*)'), [], { timeoutMs: 20_000 })),
        400_000,
      );
    },
  },

  'does not touch the statements beside the one it stops (C42)': async ({ db }) => {
    let going = true;
    const neighbours = async () => {
      let answered = 0;
      for (; going; answered += 1) assert.equal(Number(await db.value('select 40 + 2')), 42);
      return answered;
    };
    const answered = Promise.all([neighbours(), neighbours()]);
    for (let round = 0; round < 12; round += 1)
      await rejection(db.value(SLOW_READ, [], { timeoutMs: 10 }), TimeoutError);
    going = false;
    assert.ok((await answered).every((count) => count > 0));
  },

  'by a signal stops every call with the reason of the signal': async ({ db }) => {
    for (const [kind, call] of Object.entries(CALLS)) {
      const reason = new Error(`no longer wanted: ${kind}`);
      for (const text of [SLOW_READ, SLOW_WRITE]) {
        const controller = new AbortController();
        const stopped = thrownBy(call(db, text, { signal: controller.signal }));
        await sleep(20);
        controller.abort(reason);
        assert.equal(await within(0, () => stopped), reason);
      }
    }
    assert.equal(await countThings(db), 0);
  },

  'by a signal that was aborted before keeps every call from running': async ({ db }) => {
    const reason = new Error('never wanted');
    const signal = AbortSignal.abort(reason);
    const write = "insert into things (id, name) values (1, 'a') returning id";
    for (const [kind, call] of Object.entries(CALLS)) {
      assert.equal(await thrownBy(call(db, write, { signal })), reason, kind);
      const inside = db.transaction(async (tx) => {
        assert.equal(await thrownBy(call(tx, write, { signal })), reason, `${kind} in a transaction`);
      });
      await inside;
    }
    assert.equal(await thrownBy(db.transaction(() => assert.fail('it ran'), { signal })), reason);
    assert.equal(await thrownBy(db.begin({ signal })), reason);
    assert.equal(await thrownBy(db.acquire({ signal })), reason);
    assert.equal(await countThings(db), 0);
  },

  'by a signal ends the wait of a call whose turn does not come': {
    options: PATIENT,
    check: async ({ db }) => {
      const tx = await db.begin();
      const write = "insert into things (id, name) values (1, 'waits') returning id";
      await addThing(tx, 1);
      for (const [kind, call] of Object.entries(CALLS)) {
        const controller = new AbortController();
        const waiting = thrownBy(call(db, write, { signal: controller.signal }));
        controller.abort(kind);
        assert.equal(await within(0, () => waiting), kind);
      }
      await tx.rollback();
      assert.equal(await countThings(db), 0);
    },
  },

  'that has not passed leaves the signal alone, however many calls it is given to': async ({ db }) => {
    const { signal } = new AbortController();
    for (let round = 0; round < 200; round += 1) await db.value('select 1', [], { signal });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  },

  'of a transaction rolls it back, whatever its function does, and only then is it told (B9, C27, P4)':
    async ({ db }) => {
      const late: Promise<unknown>[] = [];
      const work = db.transaction(
        async (tx) => {
          await addThing(tx, 1);
          await sleep(150);
          // Swallows the refusal, tries again, and returns as if all were well.
          for (let id = 2; id < 5; id += 1)
            late.push(thrownBy(addThing(tx, id)), thrownBy(addThing(db, id + 10)));
          await Promise.all(late);
        },
        { timeoutMs: 50 },
      );
      const error = await within(50, () => rejection(work, TimeoutError));
      assert.equal(error.rollback, 'confirmed');
      assert.equal(await countThings(db), 0);
      await sleep(200);
      assert.equal(late.length, 6);
      for (const refused of await Promise.all(late))
        assert.ok(refused instanceof TransactionClosedError, String(refused));
      assert.equal(await countThings(db), 0);
    },

  'of a transaction stops the statement that runs in it (B9, C27)': async ({ db }) => {
    const work = () => db.transaction((tx) => tx.run(SLOW_WRITE), { timeoutMs: 50 });
    await within(50, () => rejection(work(), TimeoutError));
    await addThing(db, 1);
    assert.equal(await countThings(db), 1);
  },

  'on idleness ends a transaction without a statement under way': {
    options: { idleInTransactionTimeoutMs: 60 },
    check: async ({ db }) => {
      const tx = await db.begin();
      await addThing(tx, 1);
      await sleep(200);
      await rejection(tx.run('select 1'), TransactionClosedError);
      assert.equal(tx.signal.aborted, true);
      assert.equal(await countThings(db), 0);
    },
  },

  'by a signal rolls a transaction back with the reason of the signal': async ({ db }) => {
    const controller = new AbortController();
    const reason = new Error('the client has gone');
    const work = db.transaction(
      async (tx) => {
        await addThing(tx, 1);
        controller.abort(reason);
        await addThing(tx, 2);
      },
      { signal: controller.signal },
    );
    assert.equal(await thrownBy(work), reason);
    assert.equal(await countThings(db), 0);
  },

  'on the length of a line refuses the next at once (B10)': {
    options: { pool: { maxWaiting: 5, max: 1 } },
    check: async ({ db }) => {
      const tx = await db.begin();
      const waiting = Array.from({ length: 60 }, (_, id) => addThing(db, id));
      const outcomes = Promise.allSettled(waiting);
      await sleep(20);
      await tx.rollback();
      const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected');
      assert.ok(refused.length > 0, 'all 60 were let in');
      for (const { reason } of refused)
        assert.ok(reason instanceof ConnectionPoolExhaustedError, String(reason));
      assert.equal(await countThings(db), 60 - refused.length);
    },
  },

  'on one statement lets the others answer meanwhile (S1)': async ({ db }) => {
    const controller = new AbortController();
    const slow = db.value(SLOW_READ, [], { signal: controller.signal }).then(
      () => 'slow',
      () => 'stopped',
    );
    await sleep(5);
    const quick = async () => {
      for (let round = 0; round < 5; round += 1) await db.value('select 1');
      await addThing(db, 1);
      return 'quick';
    };
    assert.equal(await Promise.race([slow, quick()]), 'quick');
    controller.abort();
    await slow;
  },
};
