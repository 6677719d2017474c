import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  getDb,
  onCommit,
  onRollback,
  transactional,
  withoutTransaction,
  type Database,
} from '../../src/index.ts';
import { kill, liveWorkers } from '../fixtures/live-workers.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../fixtures/scale.ts';

const SCHEMA = `
  create table row (id integer primary key, request int not null, step text not null);
  create table outside (request int not null, step text not null);
  create table number (n int);
  insert into number with recursive n (i) as (select 1 union all select i + 1 from n where i < 600) select i from n;
`;
const REQUESTS = 200;

/** What an application keeps for each request; every row carries it. */
const request = new AsyncLocalStorage<number>();

/** One step of a request's transaction: it writes a row by the way it is named after. */
type Step = (db: Database, write: (step: string) => Promise<unknown>) => Promise<unknown>;

const STEPS: Record<string, Step> = {
  await: (_db, write) => write('await'),
  'promise all': (_db, write) => Promise.all([write('all 1'), write('all 2'), write('all 3')]),
  timers: async (_db, write) => {
    await sleep(1);
    await write('timer');
    await nextTurn();
    await write('immediate');
    await new Promise<void>((resolve) => setTimeout(() => void write('setTimeout').then(() => resolve()), 1));
    await new Promise<void>((resolve) =>
      process.nextTick(() => void write('nextTick').then(() => resolve())),
    );
    await new Promise<void>((resolve) => queueMicrotask(() => void write('microtask').then(() => resolve())));
  },
  'rows of a stream': async (db, write) => {
    let count = 0;
    for await (const row of db.stream<{ n: number }>('select n from number')) {
      count += 1;
      if (row.n === 300) await write('in a stream');
    }
    if (count !== 600) throw new Error(`the stream gave ${count} rows`);
  },
  'a readable of rows': async (db, write) => {
    let seen = 0;
    for await (const row of Readable.from(db.stream('select n from number limit 3')))
      if (row !== null) seen += 1;
    await write(`readable ${seen}`);
  },
  'an emitter': async (_db, write) => {
    const emitter = new EventEmitter();
    const written: Promise<unknown>[] = [];
    emitter.on(
      'row',
      AsyncResource.bind(() => written.push(write('emitter'))),
    );
    const ended = once(emitter, 'end');
    setImmediate(() => {
      emitter.emit('row');
      emitter.emit('end');
    });
    await ended;
    await Promise.all(written);
  },
  'an inner transaction': (db, write) =>
    db.transaction(async () => {
      await write('joined');
      await db.transaction(() => write('nested'), { propagation: 'nested' });
    }),
  'a wrapped function': async (_db, write) => {
    const wrapped = transactional(() => write('wrapped'), { database: 'requests' });
    await wrapped();
  },
  'a batch and a script': async (db, write) => {
    const id = request.getStore()!;
    await db.batch([['insert into row (request, step) values (?, ?)', [id, 'batch']]]);
    await write('after the batch');
    await db.script(`insert into row (request, step) values (${id}, 'script')`);
  },
  'a read elsewhere': async (db, write) => {
    await withoutTransaction(() => db.value('select count(*) from number'));
    await write('after a read elsewhere');
  },
};

describe('the transaction of an asynchronous flow (C29)', () => {
  test(
    'is that of its request, for each of 200 at once, in a database that was opened inside the first of them',
    async () => {
      const random = randomFrom(seed);
      const db = await request.run(0, async () => (await openScratch(SCHEMA, { name: 'requests' })).db);
      expect(getDb('requests')).toBe(db);
      const expected = new Map<number, string[]>();
      const events: [number | undefined, number][] = [];
      db.on('transaction:commit', ({ name }) => events.push([request.getStore(), Number(name)]));

      const serve = async (id: number, fails: boolean): Promise<void> => {
        const steps: string[] = [];
        const write = (step: string): Promise<unknown> => {
          steps.push(step);
          return getDb('requests').run('insert into row (request, step) values (?, ?)', [
            request.getStore()!,
            step,
          ]);
        };
        const names = Object.keys(STEPS).filter(() => random() < 0.5);
        const note = (step: string) => (): Promise<unknown> =>
          db.run('insert into outside values (?, ?)', [request.getStore()!, step]);
        await db.transaction(
          async () => {
            onCommit(note('committed'));
            onRollback(note('rolled back'));
            for (const name of names) await STEPS[name]!(db, write);
            if (fails) throw new Error('expected');
          },
          { name: String(id) },
        );
        expected.set(id, steps);
      };

      const count = scaled(REQUESTS);
      const failing = new Set<number>();
      const served = Array.from({ length: count }, (_, index) => {
        const id = index + 1;
        const fails = random() < 0.2;
        if (fails) failing.add(id);
        return request.run(id, () => serve(id, fails)).catch((error: Error) => error.message);
      });
      const outcomes = await Promise.all(served);
      expect(outcomes.filter((outcome) => outcome !== undefined && outcome !== 'expected')).toEqual([]);
      expect(outcomes.filter((outcome) => outcome === 'expected')).toHaveLength(failing.size);

      // Each transaction's rows are there as a whole, in order, and together: nobody's row is in between.
      const rows = await db.all<{ id: number; request: number; step: string }>(
        'select * from row order by id',
      );
      const found = Map.groupBy(rows, (row) => row.request);
      expect(new Set(found.keys())).toEqual(withRows(expected));
      for (const [id, own] of found) {
        const wanted = expected.get(id)!;
        const given = own.map(({ step }) => step).filter((step) => step !== 'batch' && step !== 'script');
        expect(given, `request ${id}, seed ${seed}`).toEqual(wanted);
        expect(own.at(-1)!.id - own[0]!.id + 1, `request ${id}, seed ${seed}`).toBe(own.length);
      }
      const outside = await db.all<{ request: number; step: string }>('select * from outside');
      expect(outside).toHaveLength(count);
      for (const row of outside)
        expect(row.step).toBe(failing.has(row.request) ? 'rolled back' : 'committed');
      // Listeners hear in the context of the one who committed.
      expect(events).toHaveLength(count - failing.size);
      expect(events.filter(([context, id]) => context !== id)).toEqual([]);
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );

  test('never is that of the request during which a connection was opened, in no listener either', async () => {
    const seen: unknown[] = [];
    const { db } = await request.run(7, () => openScratch(SCHEMA, { inlineReads: false }));
    const look = async (): Promise<void> => {
      await db.run('insert into outside values (1, ?)', ['x']);
      for await (const row of db.stream('select n from number limit 1'))
        seen.push(row['n'] === 1 && request.getStore());
      await db.transaction((tx) => tx.value('select count(*) from number'), { readOnly: true });
      await db.all('select count(*) from number');
    };
    // The readers are opened in here.
    await request.run(7, look);
    db.on('query:end', () => seen.push(request.getStore()));
    seen.length = 0;
    await request.run(8, look);
    await request.exit(look);
    expect(seen.length).toBeGreaterThanOrEqual(6);
    expect(seen).not.toContain(7);
  });

  test('does not reach what the database does on its own: connections that end, checkpoints', async () => {
    const heard: Record<string, unknown[]> = { checkpoint: [], closed: [] };
    const { db } = await request.run(7, () =>
      openScratch(SCHEMA, { inlineReads: false, sqlite: { walCheckpointBytes: 65_536 } }),
    );
    db.on('sqlite:checkpoint', () => heard['checkpoint']!.push(request.getStore()));
    db.on('connection:close', () => heard['closed']!.push(request.getStore()));
    await request.run(8, async () => {
      const write = 'insert into outside select 1, hex(zeroblob(500)) from number';
      while (heard['checkpoint']!.length === 0) await db.run(write);
      for (const worker of liveWorkers('writer')) kill(worker, 'terminate');
      while (heard['closed']!.length === 0) await db.run(write).catch(() => undefined);
    });
    expect([...heard['checkpoint']!, ...heard['closed']!].filter((store) => store !== undefined)).toEqual([]);
    await expectAtRest(db);
  });

  test('does not reach what is made in it and lives on: a server, a queue, a timer of its own', async () => {
    const { db } = await openScratch(SCHEMA);
    const queue: (() => void)[] = [];
    const worker = setInterval(() => queue.shift()?.(), 1);
    onTestFinished(() => clearInterval(worker));
    const written = Promise.withResolvers<unknown>();
    await db.transaction(async () => {
      queue.push(
        () =>
          void db.run('insert into outside values (1, ?)', ['queue']).then(written.resolve, written.reject),
      );
      await sleep(20);
      // The queue's own flow is outside: its write waits for this transaction.
      expect(await db.value('select count(*) from outside')).toBe(0);
    });
    expect(await written.promise).toMatchObject({ rowsAffected: 1 });
  });
});

function withRows(expected: ReadonlyMap<number, readonly string[]>): Set<number> {
  return new Set([...expected].filter(([, steps]) => steps.length > 0).map(([id]) => id));
}
