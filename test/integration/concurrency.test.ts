import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { kill, liveWorkers } from '../fixtures/live-workers.ts';
import type { Queryable } from '../../src/index.ts';
import { expectAtRest, openScratch, outcomes, scratchForAll } from '../fixtures/scratch-database.ts';

const SCHEMA = `create table block (id integer primary key, height int not null unique, writer int not null);
  create table number (n int);
  insert into number with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000) select i from n`;
const READERS = 4;

describe('several requests on one file', () => {
  const scratch = scratchForAll(SCHEMA, { pool: { max: READERS } });
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from block');
  });

  test('100 concurrent writers append blocks: nothing is lost, and the order is kept (T4)', async () => {
    const { db } = scratch;
    const append = (writer: number): Promise<unknown> =>
      db.transaction(async (tx) => {
        const height = await tx.value<number>('select coalesce(max(height), 0) from block');
        await tx.run('insert into block (height, writer) values (?, ?)', [height! + 1, writer]);
      });
    const told = await outcomes(Array.from({ length: 100 }, (_, writer) => append(writer)));
    expect(told.filter((one) => one instanceof Error)).toEqual([]);
    const blocks = await db.all<{ height: number; writer: number }>(
      'select height, writer from block order by id',
    );
    expect(blocks.map(({ height }) => height)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    // They are served in the order of their calls.
    expect(blocks.map(({ writer }) => writer)).toEqual(Array.from({ length: 100 }, (_, writer) => writer));
  });

  test('reads go on while writing, and see whole commits only (T4)', async () => {
    const { db } = scratch;
    let isOver = false;
    const seen: number[] = [];
    const reading = (async () => {
      while (!isOver) {
        seen.push((await db.value<number>('select count(*) from block'))!);
        await sleep(0);
      }
    })();
    for (let round = 0; round < 40; round += 1) {
      const heights = [1, 2, 3, 4, 5].map((step) => round * 5 + step);
      await db.batch(
        heights.map((height) => ['insert into block (height, writer) values (?, 0)', [height]] as const),
      );
    }
    isOver = true;
    await reading;
    expect(seen.filter((count) => count % 5 !== 0)).toEqual([]);
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
    expect(seen.length).toBeGreaterThan(5);
  });

  test('each has the isolation it was promised: one snapshot to read, nothing uncommitted seen (T4, B5)', async () => {
    const { db } = scratch;
    const count = (on: Queryable): Promise<unknown> => on.value('select count(*) from block');
    await db.run('insert into block (height, writer) values (1, 0)');
    const reader = await db.begin({ readOnly: true });
    const writer = await db.begin({ isolation: 'serializable' });
    await writer.run('insert into block (height, writer) values (2, 0)');
    expect([await count(writer), await count(reader), await count(db)]).toEqual([2, 1, 1]);
    await writer.commit();
    // Who began before goes on with its snapshot; who asks after the answer sees it.
    expect([await count(reader), await count(db)]).toEqual([1, 2]);
    await reader.commit();
    expect(await db.transaction((tx) => count(tx), { readOnly: true })).toBe(2);
  });

  test('ten slow reads at once do not hold up a fast one (S1, S11)', async () => {
    const { db } = scratch;
    const slow = 'select count(*) from number as a, number as b where a.n + b.n = ?';
    await db.value('select n from number where n = 7');
    let slowEnded = 0;
    const reads = Array.from({ length: 10 }, (_, index) =>
      db.value(slow, [index]).then(() => (slowEnded += 1)),
    );
    await db.value('select n from number where n = 7');
    expect(slowEnded).toBeLessThan(10);
    await Promise.all(reads);
  });
});

describe('a connection, each time one is made', () => {
  const WANTED = {
    journal_mode: 'wal',
    synchronous: 2,
    foreign_keys: 1,
    busy_timeout: 1_234,
    cache_size: -2_048,
    temp_store: 2,
    trusted_schema: 0,
    mmap_size: 1_048_576,
    wal_autocheckpoint: 0,
  };

  async function pragmasOf(connection: Queryable): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(WANTED)) found[name] = await connection.value(`pragma ${name}`);
    return found;
  }

  test('has the pragmas it was given, also the one that takes the place of a dead one (C04, S2, S5, T3, J13)', async () => {
    const { db } = await openScratch(SCHEMA, {
      busyTimeoutMs: 1_234,
      sqlite: { cacheSizeKiB: 2_048, mmapSizeBytes: 1_048_576 },
      pool: { max: READERS },
    });
    for (let life = 0; life < 2; life += 1) {
      expect(await db.transaction((tx) => pragmasOf(tx)), `writer, life ${life}`).toEqual(WANTED);
      const leases = await Promise.all(Array.from({ length: READERS }, () => db.acquire()));
      expect(new Set(leases.map(({ connection }) => connection.id)).size).toBe(READERS);
      for (const { connection } of leases)
        expect(await pragmasOf(connection), `reader, life ${life}`).toEqual(WANTED);
      for (const lease of leases) lease.release();
      for (const worker of liveWorkers()) kill(worker, 'terminate');
      while (liveWorkers().length > 0) await sleep(2);
    }
    await expectAtRest(db);
  });
});
