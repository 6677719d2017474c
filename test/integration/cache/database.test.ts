import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  cached,
  createCache,
  getCache,
  invalidates,
  type Cache,
  type CacheOptions,
} from '../../../src/cache/index.ts';
import {
  getDb,
  onCommit,
  openDatabase,
  OutcomeUnknownError,
  sql,
  transactional,
  type Database,
} from '../../../src/index.ts';
import { expectAtRest, openScratch } from '../../fixtures/scratch-database.ts';

const SCHEMA = `
  create table users (id integer primary key, name text not null);
  create table notes (id integer primary key, user_id integer references users on delete cascade, text text);
  create table log (id integer primary key, what text);
  create table unrelated (id integer primary key);
  create view authors as select distinct users.name from users join notes on notes.user_id = users.id;
  create trigger users_log after insert on users begin insert into log (what) values ('new ' || new.name); end;
  insert into users values (1, 'Ada');
  insert into notes values (1, 1, 'first');
`;

async function open(options: CacheOptions = {}): Promise<{ db: Database; cache: Cache; path: string }> {
  const { db, path } = await openScratch(SCHEMA);
  const cache = createCache(db, { name: false, ...options });
  onTestFinished(() => cache.close());
  return { db, cache, path };
}

describe('what a statement reads is known without being told (X4, B15)', () => {
  test.each([
    ["select text from found where found match 'first'", "update notes set text = 'first, edited'"],
    ['select term from words', "insert into log_texts (what) values ('new')"],
    ['select seq from sqlite_sequence', 'insert into numbered default values'],
    ['select name from sqlite_schema', 'create table more (id integer)'],
    ['pragma user_version', 'pragma user_version = 7'],
    ['pragma table_info(notes)', 'alter table notes add column more text'],
  ])('or it is dropped by every change: %s', async (read, write) => {
    const { db, cache } = await open();
    await db.script(`
      create table numbered (id integer primary key autoincrement);
      insert into numbered default values;
      create virtual table log_texts using fts5 (what);
      create virtual table words using fts5vocab ('log_texts', 'row');
      create virtual table found using fts5 (text, content='notes', content_rowid='id');
      insert into found (found) values ('rebuild');
    `);
    const look = () => cache.getOrSet('k', () => db.all(read), { ttlMs: Infinity });
    for (let use = 0; use < 5; use += 1) await look();
    expect(cache.stats().hits).toBeGreaterThan(0);
    const before = await look();
    await db.run(write);
    expect(await look()).not.toEqual(before);
    await expectAtRest(db);
  });

  test('through views, subqueries, triggers and cascades, for every kind of call', async () => {
    const { db, cache } = await open();
    const reads: Readonly<Record<string, () => Promise<unknown>>> = {
      all: () => db.all('select * from authors'),
      get: () => db.get('select count(*) as count from log'),
      value: () => db.value('select count(*) from notes where user_id in (select id from users)'),
      arrays: () => db.arrays('select text from notes'),
      json: async () => new TextDecoder().decode(await db.json('select * from notes')),
      stream: async () => {
        const rows: unknown[] = [];
        for await (const row of db.stream('select * from notes')) rows.push(row);
        return rows;
      },
      batch: () => db.batch([sql`select * from notes`, sql`select * from log`]),
      transaction: () => db.transaction((tx) => tx.all('select * from notes'), { readOnly: true }),
    };
    const look = async (): Promise<Record<string, unknown>> => {
      const found: Record<string, unknown> = {};
      for (const [name, read] of Object.entries(reads)) found[name] = await cache.getOrSet(name, read);
      return found;
    };
    const actual = async (): Promise<Record<string, unknown>> => {
      const found: Record<string, unknown> = {};
      for (const [name, read] of Object.entries(reads)) found[name] = await read();
      return found;
    };
    await look();
    await look();
    const writes = [
      () => db.run("insert into users values (2, 'Bob')"),
      () => db.run("insert into notes values (2, 2, 'second')"),
      () => db.batch([sql`update notes set text = ${'changed'} where id = ${1}`]),
      () => db.transaction((tx) => tx.run("update users set name = 'Eve' where id = 2")),
      () => db.run('delete from users where id = 2'),
      () => db.script("alter table notes add column more text; insert into log (what) values ('altered')"),
      () => db.get("insert into notes (id, user_id, text, more) values (9, 1, 'ninth', 'more') returning *"),
    ];
    for (const write of writes) {
      await write();
      expect(await look()).toEqual(await actual());
    }
    await expectAtRest(db);
  });

  test('and what has nothing to do with a write stays', async () => {
    const { db, cache } = await open();
    const load = () => cache.getOrSet('k', () => db.all('select * from authors'));
    // More than once: which tables a new statement reads is found out while it first runs.
    for (let round = 0; round < 3; round += 1) await load();
    const { loads } = cache.stats();
    await db.run('insert into unrelated values (1)');
    await db.transaction((tx) => tx.run('insert into unrelated values (2)'));
    await load();
    expect(cache.stats().loads).toBe(loads);
  });

  test('with one connection, and in memory', async () => {
    for (const url of ['sqlite::memory:', undefined]) {
      const { db } =
        url === undefined
          ? await openScratch(SCHEMA, { pooled: false })
          : { db: await openDatabase(url, { name: false, log: 'silent' }) };
      if (url !== undefined) await db.script(SCHEMA);
      await using cache = createCache(db, { name: false });
      const load = () => cache.getOrSet('k', () => db.value<number>('select count(*) from users'));
      expect([await load(), await load(), cache.stats().loads]).toEqual([1, 1, 1]);
      await db.run("insert into users values (2, 'Bob')");
      expect(await load()).toBe(2);
      await db.transaction(async () => {
        await db.run("insert into users values (3, 'Eve')");
        expect(await load()).toBe(3);
      });
      expect(await load()).toBe(3);
      await cache.close();
      await db.close();
    }
  });
});

describe('a transaction', () => {
  test('sees its own writes, and nobody sees them before it commits (B15)', async () => {
    const { db, cache } = await open();
    const names = () =>
      cache.getOrSet('names', () => db.all<{ name: string }>('select name from users order by id'));
    expect(await names()).toHaveLength(1);
    let outside: unknown;
    await db.transaction(async (tx) => {
      await tx.run("insert into users values (2, 'Bob')");
      expect(await names()).toHaveLength(2);
      outside = await new Promise((resolve) => onOutside(resolve, names));
      onCommit(async () => expect(await names()).toHaveLength(2));
    });
    expect(outside).toHaveLength(1);
    expect(await names()).toHaveLength(2);
    await expect(
      db.transaction(async (tx) => {
        await tx.run("insert into users values (3, 'Eve')");
        await names();
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await names()).toHaveLength(2);
    await expectAtRest(db);
  });

  test('of which only a savepoint is undone invalidates all the same', async () => {
    const { db, cache } = await open();
    const count = () => cache.getOrSet('count', () => db.value('select count(*) from users'));
    await count();
    await db.transaction(async (tx) => {
      await tx.run("insert into users values (2, 'Bob')");
      await tx
        .transaction(async (inner) => {
          await inner.run("insert into users values (3, 'Eve')");
          throw new Error('undone');
        })
        .catch(() => undefined);
    });
    expect(await count()).toBe(2);
  });

  test('that is read-only fills the cache, and its snapshot brings nothing old back (C51)', async () => {
    const { db, cache } = await open();
    const count = () => cache.getOrSet('count', () => db.value('select count(*) from users'));
    await db.transaction(count, { readOnly: true });
    expect(cache.stats().entries).toBe(1);
    await cache.clear();
    await db.transaction(
      async (tx) => {
        await tx.value('select count(*) from users');
        await new Promise((resolve) =>
          onOutside(resolve, () => db.run("insert into users values (2, 'Bob')")),
        );
        expect(await count()).toBe(1);
      },
      { readOnly: true },
    );
    expect(await count()).toBe(2);
    await expectAtRest(db);
  });

  test('begun by hand, and read through its handle, leaves nothing that is not committed', async () => {
    const { db, cache } = await open();
    {
      await using tx = await db.begin();
      await tx.run("insert into users values (2, 'Bob')");
      expect(await cache.getOrSet('k', () => tx.value('select count(*) from users'))).toBe(2);
    }
    expect(await cache.getOrSet('k', () => db.value('select count(*) from users'))).toBe(1);
    await expectAtRest(db);
  });

  test('of another database that writes is passed by, too', async () => {
    const { db, cache } = await open();
    const { db: other } = await openScratch(SCHEMA);
    await other.transaction(async (tx) => {
      await tx.run("insert into users values (2, 'Bob')");
      expect(await cache.getOrSet('k', () => other.value('select count(*) from users'))).toBe(2);
    });
    expect(cache.stats()).toMatchObject({ entries: 0, bypassed: 1 });
    await using alone = createCache({ name: false });
    await db.transaction(async (tx) => {
      await tx.run('insert into unrelated values (5)');
      await alone.getOrSet('k', () => db.value('select count(*) from unrelated'));
      await alone.set('tagged', 1, { tags: ['t'] });
    });
    expect(alone.stats().entries).toBe(0);
    await alone.set('tagged', 1, { tags: ['t'] });
    await db.transaction(async () => {
      await alone.invalidateTags('t');
      expect(alone.stats().entries).toBe(1);
    });
    expect(alone.stats().entries).toBe(0);
  });

  test('with an unknown outcome counts as committed', async () => {
    await using cache = createCache({ name: false });
    await cache.set('k', 1, { tags: ['t'] });
    const failing = cache.invalidates('t', async () => {
      throw new OutcomeUnknownError('lost');
    });
    await expect(failing()).rejects.toThrow(OutcomeUnknownError);
    expect(cache.peek('k')).toBeUndefined();
  });
});

test('what another process writes to the file is noticed within a second (D4)', async () => {
  const { db, cache, path } = await open();
  const count = () => cache.getOrSet('count', () => db.value('select count(*) from users'));
  expect(await count()).toBe(1);
  // What the database sees when it first looks is what it compares later looks with.
  await sleep(700);
  const foreign = new DatabaseSync(path);
  onTestFinished(() => foreign.close());
  foreign.exec("insert into users values (2, 'Bob')");
  const isNoticed = async (): Promise<boolean> => {
    for (let look = 0; look < 100; look += 1) {
      if ((await count()) !== 1) return true;
      await sleep(20);
    }
    // On a slow machine it may have looked for the first time only now.
    foreign.exec("insert into users (name) values ('Eve')");
    return false;
  };
  await expect.poll(isNoticed).toBe(true);
});

describe('cached functions', () => {
  test('are told apart by their arguments, and dropped one by one, together, by tag and by table (M5)', async () => {
    const { db, cache } = await open();
    let calls = 0;
    const find = cache.cached(
      async function find(id: number | string) {
        calls += 1;
        return db.get<{ name: string }>(sql`select name from users where id = ${id}`);
      },
      { negativeTtlMs: 1_000, tags: (user, id) => (user === undefined ? [] : [`user:${id}`]) },
    );
    expect([await find(1), await find(1), await find('1'), await find(7), await find(7)]).toEqual([
      ...Array(3).fill({ name: 'Ada' }),
      undefined,
      undefined,
    ]);
    expect(calls).toBe(3);
    await find.delete(1);
    await find(1);
    expect(calls).toBe(4);
    await cache.invalidateTags('user:1');
    await Promise.all([find(1), find('1'), find(7)]);
    expect(calls).toBe(6);
    await find.clear();
    await Promise.all([find(1), find('1'), find(7)]);
    expect(calls).toBe(9);
    await db.run('delete from users');
    expect([await find(1), calls]).toEqual([undefined, 10]);
  });

  test('keep `this` and belong to a scope', async () => {
    let tenant: unknown = 'a';
    await using cache = createCache({ name: false, scope: () => tenant });
    const place = {
      city: 'Graz',
      where: cache.cached(async function where(this: { city: string }) {
        return this.city;
      }),
    };
    expect([await place.where(), await place.where()]).toEqual(['Graz', 'Graz']);
    place.city = 'Wien';
    tenant = 'b';
    expect(await place.where()).toBe('Wien');
    tenant = 'a';
    expect(await place.where()).toBe('Graz');
    tenant = undefined;
    await expect(place.where()).rejects.toThrow('whose values');
    tenant = null;
    expect(await place.where()).toBe('Wien');
  });

  test('need a name that is theirs alone', async () => {
    await using cache = createCache({ name: false });
    const list = async (): Promise<number> => 1;
    cache.cached(list);
    expect(() => cache.cached(list)).toThrow('already');
    cache.cached(list, { name: 'other' });
    expect(() => cache.cached(async () => 1)).toThrow('needs a name');
    expect(() => cache.cached(list, { name: 'third', ttlMss: 1 } as object)).toThrow('Did you mean "ttlMs"?');
    expect(() => cache.cached(7 as never)).toThrow('takes a function');
    await expect(cache.getOrSet('k', 7 as never)).rejects.toThrow('function that loads');
    await expect(cache.getOrSet(Symbol('k'), list)).rejects.toThrow('cannot hold a symbol');
  });

  test('find their cache by name when they are called, as `transactional` finds its database', async () => {
    const { db } = await openScratch(SCHEMA, { name: 'shop' });
    let calls = 0;
    const count = cached(
      async function count() {
        calls += 1;
        return getDb('shop').value<number>('select count(*) from users');
      },
      { cache: 'shop' },
    );
    const rename = invalidates(
      'names',
      transactional(async () => getDb('shop').run('delete from notes'), { database: 'shop' }),
      {
        cache: 'shop',
      },
    );
    await expect(count()).rejects.toThrow('The cache "shop" is not open. No cache is open.');
    await using cache = createCache(db);
    expect(getCache('shop')).toBe(cache);
    expect(() => createCache(db)).toThrow('open already');
    expect([await count(), await count(), calls]).toEqual([1, 1, 1]);
    await count.delete();
    await count();
    await count.clear();
    await count();
    expect(calls).toBe(3);
    await cache.set('k', 1, { tags: ['names'] });
    await rename();
    expect(cache.peek('k')).toBeUndefined();
    await cache.close();
    await expect(count()).rejects.toThrow('not open');
  });
});

test('a thousand callers of one cold key cost the database one statement (C50)', async () => {
  const { db, cache } = await open();
  const before = db.stats().queries.count;
  const asked = Array.from({ length: 1_000 }, () => cache.getOrSet('k', () => db.all('select * from users')));
  expect(new Set((await Promise.all(asked)).map((rows) => rows.length))).toEqual(new Set([1]));
  expect(db.stats().queries.count - before).toBe(1);
});

/** Runs `work` in a flow that is in none of the transactions of the caller's, now. */
function onOutside<T>(resolve: (value: T) => void, work: () => Promise<T>): void {
  outside.push(async () => resolve(await work()));
}

/** Served by a flow that was begun before any transaction. */
const outside: (() => Promise<void>)[] = [];
setInterval(() => {
  for (const work of outside.splice(0)) void work();
}, 2).unref();
