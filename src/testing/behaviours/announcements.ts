import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import type { QueryEvent } from '../../events/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, eventually, numbersUpTo, thrownBy } from './expectations.ts';

const CANARY = 'hunter2-and-nobody-else';

export const EVENT_BEHAVIOURS: Behaviours = {
  'tell of each statement: its text, its name, its time, its rows (P8, J9)': async ({ db }) => {
    const told: QueryEvent[] = [];
    const stop = db.on('query:end', (event) => told.push(event));
    await addThing(db, 1);
    for (let round = 0; round < 5; round += 1)
      await db.all('select 1 as one union all select 2', [], { name: 'two' });
    stop();
    await db.all('select 3 as unheard');
    const reads = told.filter(({ name }) => name === 'two');
    assert.equal(reads.length, 5);
    for (const { sql, rows, durationMs, params } of reads) {
      assert.deepEqual([sql, rows, params], ['select 1 as one union all select 2', 2, undefined]);
      assert.ok(durationMs >= 0);
    }
    assert.equal(told.length, 6);
    assert.equal(told[0]?.rows, 1);
  },

  'tell of each statement once, whichever call made it': async ({ db }) => {
    for (const [kind, call] of Object.entries(CALLS)) {
      const told: string[] = [];
      const stop = db.on('query:end', ({ name }) => told.push(name ?? ''));
      await call(db, 'select 1 as one', { name: kind });
      stop();
      assert.deepEqual(told, [kind]);
    }
  },

  'tell of the start and of the end of each statement in the async context of its call (P8)': async ({
    db,
  }) => {
    const told: unknown[] = [];
    const caller = new AsyncLocalStorage<string>();
    const stops = [
      db.on('query:start', ({ name }) => told.push(['start', name, caller.getStore()])),
      db.on('query:end', ({ name }) => told.push(['end', name, caller.getStore()])),
    ];
    for (const [kind, call] of Object.entries(CALLS)) {
      told.length = 0;
      await caller.run('me', () => call(db, 'select 1 as one', { name: kind }));
      assert.deepEqual(told, [
        ['start', kind, 'me'],
        ['end', kind, 'me'],
      ]);
    }
    for (const stop of stops) stop();
  },

  'tell what a statement touches, once it is known (X4)': async ({ db }) => {
    const told: QueryEvent[] = [];
    const stop = db.on('query:end', (event) => told.push(event));
    for (let round = 0; round < 5; round += 1) await db.all('select name from things where size > 3');
    await addThing(db, 1);
    stop();
    assert.deepEqual(told.at(-2)?.tablesRead, ['things']);
    assert.deepEqual(told.at(-1)?.tablesWritten, ['things']);
  },

  'tell of each statement that failed, with its error': async ({ db }) => {
    for (const [kind, call] of Object.entries(CALLS)) {
      const told: unknown[] = [];
      const stop = db.on('query:error', ({ name, error }) => told.push(name, error));
      const error = await thrownBy(call(db, 'select missing from nowhere', { name: kind }));
      stop();
      assert.deepEqual(told, [kind, error], kind);
    }
  },

  'tell of slow statements': {
    options: { slowQueryMs: 15 },
    check: async ({ db }) => {
      const told: string[] = [];
      db.on('query:slow', ({ name, durationMs, thresholdMs }) => {
        assert.ok(durationMs >= 15 && thresholdMs === 15);
        told.push(name ?? '');
      });
      await db.value(numbersUpTo(600_000, 'count(*)'), [], { name: 'slow' });
      assert.ok(told.includes('slow'));
      assert.ok(db.stats().queries.slow >= 1);
    },
  },

  'hold bound values only where that was asked for (B18)': {
    options: { exposeParams: true },
    check: async ({ db, open }) => {
      const quiet = await open();
      for (const [source, isTold] of [
        [db, true],
        [quiet, false],
      ] as const) {
        const told: unknown[] = [];
        source.on('query:end', (event) => told.push(event));
        source.on('query:error', (event) => told.push(event));
        await source.value('select :secret || 1', { secret: CANARY });
        await thrownBy(source.value('select :secret from nowhere', { secret: CANARY }));
        assert.equal(inspect(told, { depth: 9 }).includes(CANARY), isTold);
      }
    },
  },

  'tell how each transaction began and ended (P13)': async ({ db }) => {
    const told: string[] = [];
    const stops = (['transaction:start', 'transaction:commit', 'transaction:rollback'] as const).map((name) =>
      db.on(name, (event) => told.push(`${name} ${event.name} ${event.readOnly}`)),
    );
    const ids = new Set<number>();
    const stopQueries = db.on('query:end', ({ transactionId }) => ids.add(transactionId ?? -1));
    await db.transaction((tx) => addThing(tx, 1), { name: 'a' });
    await thrownBy(db.transaction(() => Promise.reject(new Error('mine')), { name: 'b' }));
    await db.transaction((tx) => tx.value('select 1'), { name: 'c', readOnly: true });
    for (const stop of [...stops, stopQueries]) stop();
    assert.deepEqual(told, [
      'transaction:start a false',
      'transaction:commit a false',
      'transaction:start b false',
      'transaction:rollback b false',
      'transaction:start c true',
      'transaction:commit c true',
    ]);
    assert.equal(ids.size, 2);
    assert.ok(!ids.has(-1));
  },

  'tell of connections that open and close (P13)': {
    options: {},
    check: async ({ open }) => {
      const db = await open();
      const told: string[] = [];
      for (const name of ['connection:open', 'connection:close'] as const) {
        db.on(name, ({ connectionId }) => told.push(`${name} ${typeof connectionId}`));
      }
      await using lease = await db.acquire();
      await lease.connection.value('select 1');
      lease.release();
      await db.close();
      await eventually(() => told.includes('connection:close number'), 'the end of a connection');
    },
  },

  'reach a listener that throws, and nobody notices (P13)': async ({ db }) => {
    const told: string[] = [];
    const stops = [
      db.on('query:end', () => {
        throw new Error('a listener of somebody');
      }),
      // oxlint-disable-next-line typescript/no-misused-promises -- an async listener of somebody's
      db.on('query:end', () => Promise.reject(new Error('another'))),
      db.on('query:end', ({ sql }) => told.push(sql)),
    ];
    assert.equal(await db.value('select 7'), 7);
    for (const stop of stops) stop();
    assert.deepEqual(told, ['select 7']);
  },

  'are on diagnostics channels too, with the name of the database': async ({ db }) => {
    const told: unknown[] = [];
    const listen = (event: unknown) => told.push((event as { database: string }).database);
    subscribe('millpond:query:end', listen);
    await db.value('select 8');
    unsubscribe('millpond:query:end', listen);
    await db.value('select 9');
    assert.deepEqual(told, [db.name]);
  },
};
