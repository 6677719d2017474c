import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { postgresScratch } from '../../fixtures/postgres-database.ts';
import { randomFrom, scaled, seed } from '../../fixtures/scale.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

const SCHEMA = `
  create table parents (id int primary key);
  insert into parents select i from generate_series(1, 5) i;
  create table items (id int primary key, n int not null check (n >= 0), parent int references parents (id),
    late int, constraint late unique (late) deferrable initially deferred);
  create table told (n int);
  create function refuse() returns trigger language plpgsql as $$ begin
    if new.n = 13 then raise exception 'thirteen'; end if; return new; end $$;
  create trigger refusing before insert or update on items for each row execute function refuse();
`;

type Write = readonly [text: string, params: readonly unknown[]];

const INSERT = 'insert into items (id, n, parent, late) values ($1, $2, $3, $4)';

/** Writes of which many fail, each in its own way: the key, a check, a reference, a trigger, at COMMIT, a cast. */
function randomWrite(random: () => number): Write {
  const id = Math.floor(random() * 40);
  const kind = Math.floor(random() * 10);
  if (kind < 4) return [INSERT, [id, id, 1 + (id % 5), null]];
  if (kind === 4) return [INSERT, [id, -1, 1, null]];
  if (kind === 5) return [INSERT, [id, 1, 99, null]];
  if (kind === 6) return [INSERT, [id, 13, 1, null]];
  if (kind === 7) return [INSERT, [id, 1, 1, Math.floor(random() * 4)]];
  if (kind === 8) return ['update items set n = n + 1 where id = $1', [id]];
  return ['delete from items where id = $1', [id]];
}

/** How a write ended, in words that do not depend on when. */
async function outcomeOf(work: Promise<{ rowsAffected: number }>): Promise<string> {
  return work.then(
    ({ rowsAffected }) => `affected ${rowsAffected}`,
    (error: Error) => error.message,
  );
}

async function tableOf(db: Database): Promise<unknown> {
  return db.arrays('select * from items order by id');
}

describe('writes that go together', () => {
  const scratch = postgresScratch(SCHEMA);

  test('end as they would have one by one (C18, B4)', async () => {
    const { db, other } = scratch;
    // Known to be cheap first: what nobody knows goes by itself.
    for (let round = 0; round < 4; round += 1) {
      await db.run(INSERT, [1_000 + round, 1, 1, null]);
      await db.run('update items set n = n + 1 where id = $1', [1_000]);
      await db.run('delete from items where id = $1', [1_000 + round]);
    }
    const random = randomFrom(seed);
    for (let round = 0; round < scaled(8); round += 1) {
      const writes = Array.from({ length: 60 }, () => randomWrite(random));
      await other.run('delete from items');
      const before = db.stats() as unknown as { postgres: { groupedWrites: number } };
      const together = await Promise.all(
        writes.map(([text, params]) => outcomeOf(db.run(text, [...params]))),
      );
      const found = await tableOf(other);
      const after = db.stats() as unknown as { postgres: { groupedWrites: number } };
      expect(after.postgres.groupedWrites).toBeGreaterThan(before.postgres.groupedWrites);
      await other.run('delete from items');
      const alone: string[] = [];
      for (const [text, params] of writes) alone.push(await outcomeOf(other.run(text, [...params])));
      expect(together, `seed ${seed}`).toEqual(alone);
      expect(found, `seed ${seed}`).toEqual(await tableOf(other));
    }
  });

  test('never make a deadlock with a transaction that takes their rows the other way round', async () => {
    const { db, other } = scratch;
    await other.run('delete from items');
    for (const id of [1, 2, 3]) await other.run(INSERT, [id, 100, 1, null]);
    const add = (id: number) => db.run('update items set n = n + 1 where id = $1', [id]);
    for (let round = 0; round < 3; round += 1) await Promise.all([add(1), add(2)]);
    for (let round = 0; round < scaled(5); round += 1) {
      const holder = await other.begin();
      await holder.run('update items set n = n + 1 where id = 2');
      // The first goes alone; behind it one group takes row 1 and waits for row 2, whose holder wants row 1.
      const group = Promise.all([add(3), add(1), add(2)]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await holder.run('update items set n = n + 1 where id = 1');
      await holder.commit();
      await group;
    }
    const rows = await other.arrays('select n from items where id in (1, 2) order by id');
    expect(rows.flat()).toEqual([103 + 2 * scaled(5), 103 + 2 * scaled(5)]);
  });

  test('go over the connection that comes free, though another one was asked for in vain', async () => {
    const { hostname, port } = new URL(scratch.url);
    await using proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    await using db = await openDatabase(proxy.urlFor(scratch.url), { name: false, log: 'silent' });
    await db.run('insert into told values (1)');
    await proxy.refuse();
    const slow = db.run('insert into told select 2 from pg_sleep(0.5)');
    // Longer than a write may hold up those behind it.
    await sleep(200);
    const behind = db.run('insert into told values (3)');
    expect(await Promise.all([slow, behind])).toEqual([{ rowsAffected: 1 }, { rowsAffected: 1 }]);
    await proxy.accept();
    await expectAtRest(db);
  });

  test('tell what they changed once each, cascades included (X4)', async () => {
    const { db } = scratch;
    await db.script(`create table shelves (id int primary key);
      create table books (id int primary key, shelf int references shelves (id) on delete cascade);
      create table notes (id int primary key)`);
    const told: (readonly string[] | undefined)[] = [];
    const stop = db.on('data:change', ({ tables }) => told.push(tables?.toSorted()));
    await db.run('insert into shelves (id) values (1)');
    await db.run('delete from shelves where id = 1');
    await db.run('insert into items (id, n) values (5000, 1)');
    await db.run('with moved as (delete from notes returning id) insert into shelves select id from moved');
    stop();
    // A trigger may write anywhere.
    expect(told).toEqual([['shelves'], ['books', 'shelves'], undefined, ['notes', 'shelves']]);
  });
});
