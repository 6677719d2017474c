import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../database/index.ts';
import { ConnectionPoolExhaustedError, UsageError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, eventually, rejection, SLOW_READ, thrownBy } from './expectations.ts';

type Lease = Awaited<ReturnType<Database['acquire']>>;

const mine = new Error('mine');

/** Takes leases until there is none to be had, and none on its way, however long it takes to open one. */
async function takeAll(db: Database): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let isLast = false; !isLast;) {
    const isOpening = db.stats().pool.connecting > 0;
    const mustCome = leases.length === 0 || isOpening;
    const given = await db.acquire({ timeoutMs: mustCome ? 5_000 : 300 }).catch((error: unknown) => error);
    if (given instanceof Error) {
      assert.ok(given instanceof ConnectionPoolExhaustedError, String(given));
      isLast = !mustCome && db.stats().pool.connecting === 0;
    } else leases.push(given as Lease);
  }
  return leases;
}

export const LEASE_BEHAVIOURS: Behaviours = {
  'is one connection with every call, and goes back when its scope ends (S3)': async ({ db }) => {
    {
      await using lease = await db.acquire();
      for (const [kind, call] of Object.entries(CALLS))
        await call(lease.connection, 'select 1 as one', { name: kind });
      assert.equal(await lease.connection.value('select 1'), 1);
      assert.equal(typeof lease.connection.id, 'number');
      assert.ok(db.stats().pool.leased >= 1);
    }
    await eventually(() => db.stats().pool.leased === 0, 'the return of the lease');
  },

  'goes back when its scope is left by an error (S3, B11)': async ({ db }) => {
    const failing = async () => {
      await using lease = await db.acquire();
      await lease.connection.value('select 1');
      throw mine;
    };
    assert.equal(await thrownBy(failing()), mine);
    await eventually(() => db.stats().pool.leased === 0, 'the return of the lease');
  },

  'is refused where its options are not those it has, before anything is taken': async ({ db }) => {
    for (const wrong of [{ timeout: 5 }, { timeoutMs: '5s' }, { signal: {} }, { name: 5 }, 5, null]) {
      const error = await rejection(db.acquire(wrong as unknown as object), UsageError);
      assert.match(error.message, /acquire\(\)/);
    }
    assert.equal(db.stats().pool.waiting, 0);
  },

  'writes as any other caller does': async ({ db }) => {
    await using lease = await db.acquire();
    await addThing(lease.connection, 1);
    await lease.connection.batch(["insert into things (id, name) values (2, 'b')"]);
    await lease.connection.script("insert into things (id, name) values (3, 'c')");
    assert.equal(await countThings(lease.connection), 3);
  },

  'is refused after its release, which may be said twice (B8)': async ({ db }) => {
    const lease = await db.acquire();
    lease.release();
    lease.release();
    for (const [kind, call] of Object.entries(CALLS)) {
      const error = await rejection(call(lease.connection, 'select 1'), UsageError);
      assert.equal(error.code, 'ERR_MILLPOND_LEASE_RELEASED', kind);
    }
  },

  'ends with its release what still runs on it (B11)': async ({ db }) => {
    const lease = await db.acquire();
    const running = thrownBy(lease.connection.value(SLOW_READ));
    await sleep(20);
    lease.release();
    assert.ok((await running) instanceof UsageError);
    assert.equal(await db.value('select 1'), 1);
  },

  'that is not to be had in time is an error that says who holds what (J10, B10)': {
    options: { pool: { max: 2, acquireTimeoutMs: 120 } },
    check: async ({ db }) => {
      const leases = await takeAll(db);
      const startedAt = performance.now();
      const error = await rejection(db.acquire(), ConnectionPoolExhaustedError);
      const waitedMs = performance.now() - startedAt;
      assert.ok(waitedMs >= 110 && waitedMs < 3_000, `waited ${waitedMs} ms`);
      assert.equal(error.retryable, true);
      assert.match(error.message, /within 120 ms: pool "[^"]+" has \d+ leased, 0 idle, \d+ waiting/);
      for (const lease of leases) lease.release();
      assert.ok(db.stats().pool.timeouts >= 1);
      (await db.acquire({ timeoutMs: 5_000 })).release();
    },
  },

  'goes to the one who waits longest (S4)': {
    options: { pool: { max: 1 } },
    check: async ({ db }) => {
      const first = await db.acquire();
      const order: number[] = [];
      const waiting = [1, 2, 3].map(async (place) => {
        await using lease = await db.acquire();
        order.push(place);
        await lease.connection.value('select 1');
      });
      await sleep(10);
      assert.equal(db.stats().pool.waiting, 3);
      first.release();
      await Promise.all(waiting);
      assert.deepEqual(order, [1, 2, 3]);
    },
  },

  'that nobody wants any more is not waited for': {
    options: { pool: { max: 1 } },
    check: async ({ db }) => {
      await using held = await db.acquire();
      assert.ok(held);
      const controller = new AbortController();
      const waiting = thrownBy(db.acquire({ signal: controller.signal }));
      controller.abort(mine);
      assert.equal(await waiting, mine);
      await rejection(db.acquire({ timeoutMs: 0 }), ConnectionPoolExhaustedError);
      assert.equal(db.stats().pool.waiting, 0);
    },
  },

  'shows who has it, and since when (S4)': async ({ db }) => {
    await using named = await db.acquire({ name: 'nightly export' });
    assert.ok(named);
    const found = db.leases().find(({ holder }) => holder === 'nightly export');
    assert.ok(found !== undefined && found.heldMs >= 0);
  },

  'that is held for long is announced, and so is its return': {
    options: { pool: { leakAfterMs: 30 } },
    check: async ({ db }) => {
      const told: string[] = [];
      let takenAt = '';
      db.on('pool:leak', (event) => {
        told.push(`leak: ${event.holder}`);
        takenAt = event.takenAt;
      });
      db.on('pool:leak-returned', ({ holder }) => told.push(`returned: ${holder}`));
      const lease = await db.acquire({ name: 'forgotten' });
      await eventually(() => told.length > 0, 'the report of the leak');
      lease.release();
      await eventually(() => told.length > 1, 'the report of its return');
      assert.deepEqual(told, ['leak: forgotten', 'returned: forgotten']);
      assert.match(takenAt, /^at .*leases/s);
    },
  },
};
