import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  ConnectionError,
  ConstraintError,
  QueryExecutionError,
  TimeoutError,
  UsageError,
} from '../../../src/index.ts';
import { openPostgresAt, openPostgresScratch } from '../../fixtures/scratch-postgres.ts';
import { expectAtRest, openScratch, rejection } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

const SCHEMA = 'create table t (id int primary key, name text)';

async function* lines(count: number, onLine: (id: number) => void = () => {}): AsyncGenerator<string> {
  for (let id = 1; id <= count; id++) {
    onLine(id);
    yield `${id}\tname ${id}\n`;
  }
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe('copyIn', () => {
  test('takes strings, bytes and streams, in the format of its statement', async () => {
    const db = await openPostgresScratch(SCHEMA);
    expect(await db.copyIn('copy t from stdin', lines(1_000))).toEqual({ rowsAffected: 1_000 });
    const csv = Readable.from([Buffer.from('2001,"a,b"\n'), Buffer.from('2002,\n')]);
    expect(await db.copyIn('copy t from stdin (format csv)', csv)).toEqual({ rowsAffected: 2 });
    expect(await db.all('select * from t where id > 999 order by id')).toEqual([
      { id: 1_000, name: 'name 1000' },
      { id: 2_001, name: 'a,b' },
      { id: 2_002, name: null },
    ]);
    await expectAtRest(db);
  });

  test('keeps nothing when the server refuses a line, and does not repeat the data', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const error = await rejection(db.copyIn('copy t from stdin', ['1\tone\n', 'hunter2\ttwo\n']));
    expect(error).toBeInstanceOf(QueryExecutionError);
    expect(error.message).toContain('invalid input syntax for type integer');
    expect(String(error) + String(error.cause)).not.toContain('hunter2');
    const twice = await rejection(db.copyIn('copy t from stdin', ['1\tone\n', '1\ttwo\n']));
    expect(twice).toBeInstanceOf(ConstraintError);
    expect(await db.value('select count(*)::int from t')).toBe(0);
    await expectAtRest(db);
  });

  test('fails with the error of its source, and keeps nothing', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const failing = lines(10, (id) => {
      if (id === 5) throw new Error('the file ended early');
    });
    expect((await rejection(db.copyIn('copy t from stdin', failing))).message).toBe('the file ended early');
    expect(await db.value('select count(*)::int from t')).toBe(0);
    await expectAtRest(db);
  });

  test('stops at an abort, also while its source gives nothing and while it waits for a lock', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const never = (async function* () {
      yield '1\tone\n';
      await new Promise(() => {});
      yield '';
    })();
    const first = new AbortController();
    const waiting = rejection(db.copyIn('copy t from stdin', never, { signal: first.signal }));
    await sleep(100);
    first.abort(new Error('enough'));
    expect((await waiting).message).toBe('enough');
    await using tx = await db.begin();
    await tx.run('lock table t in access exclusive mode');
    const locked = await rejection(db.copyIn('copy t from stdin', lines(3), { timeoutMs: 100 }));
    expect(locked).toBeInstanceOf(TimeoutError);
    await tx.rollback();
    expect(await db.value('select count(*)::int from t')).toBe(0);
    await expectAtRest(db);
  });

  test('stops at an abort that comes before the server has begun it, and keeps its connection', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const never = (async function* () {
      await new Promise(() => {});
      yield '';
    })();
    const client = new AbortController();
    const stopped = rejection(db.copyIn('copy t from stdin', never, { signal: client.signal }));
    await new Promise((resolve) => setImmediate(resolve));
    client.abort(new Error('enough'));
    expect((await stopped).message).toBe('enough');
    await expectAtRest(db);
    expect(db.stats().pool.retired).toBe(0);
  });

  test('ends, though the end of its source fails', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const source = (function* () {
      try {
        yield 'not a number\tone\n';
        for (;;) yield '2\ttwo\n';
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- a generator that cannot be ended in order
        throw new Error('the end of the source');
      }
    })();
    await expect(db.copyIn('copy t from stdin', source)).rejects.toThrow(QueryExecutionError);
    await expectAtRest(db);
  });

  test('does not read its source faster than the server takes the data', async () => {
    const proxy = await startTcpProxy({ port: Number(new URL(await sharedPostgresDatabase()).port) });
    await using _ = proxy;
    const db = await openPostgresAt(proxy.urlFor(await sharedPostgresDatabase()), SCHEMA);
    let given = 0;
    const source = (async function* () {
      for (let id = 1; id <= 100; id++) {
        given += 1_000_000;
        yield `${id}\t${'x'.repeat(1_000_000 - 10)}\n`;
      }
    })();
    proxy.drip(100_000);
    const copying = db.copyIn('copy t from stdin', source);
    await sleep(300);
    const givenWhileStuck = given;
    proxy.restore();
    expect(await copying).toEqual({ rowsAffected: 100 });
    expect(givenWhileStuck).toBeLessThan(40_000_000);
  });

  test('is part of the transaction around it, and is undone with it', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const gone = db.transaction(async () => {
      await db.copyIn('copy t from stdin', lines(5));
      expect(await db.value('select count(*)::int from t')).toBe(5);
      throw new Error('no');
    });
    await expect(gone).rejects.toThrow('no');
    expect(await db.value('select count(*)::int from t')).toBe(0);
    await using tx = await db.begin();
    await tx.copyIn('copy t from stdin', lines(7));
    await tx.commit();
    expect(await db.value('select count(*)::int from t')).toBe(7);
    await expectAtRest(db);
  });

  test('is reported as a change of data, alone and in a transaction', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const changes: unknown[] = [];
    db.on('data:change', ({ tables, source }) => changes.push({ tables, source }));
    await db.copyIn('copy t from stdin', lines(2));
    await db.transaction(() => db.copyIn('copy t from stdin', ['3\tthree\n']));
    expect(changes).toEqual(Array(2).fill({ tables: undefined, source: 'local' }));
    await textOf(db.copyOut('copy t to stdout'));
    await rejection(db.copyIn('copy t from stdin', ['3\tthree\n']));
    expect(changes).toHaveLength(2);
  });

  test('goes over the connection of a lease, and is reported as a change of data', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const changes: unknown[] = [];
    db.on('data:change', ({ tables }) => changes.push(tables));
    const lease = await db.acquire();
    await lease.connection.run('create temp table mine (id int)');
    await lease.connection.copyIn('copy mine from stdin', ['1\n2\n']);
    expect(await textOf(lease.connection.copyOut('copy mine to stdout'))).toBe('1\n2\n');
    expect(changes).toEqual([undefined, undefined]);
    const open = lease.connection.copyOut('copy (select * from generate_series(1, 300000)) to stdout');
    await open.next();
    lease.release();
    await expect(open.next()).rejects.toThrow('released');
    await expect(lease.connection.copyIn('copy t from stdin', ['1\n'])).rejects.toThrow('released');
    await expectAtRest(db);
  });

  test('refuses what is not a COPY, a COPY the other way, and a source that is not one', async () => {
    const db = await openPostgresScratch(SCHEMA);
    await expect(db.copyIn('delete from t', [])).rejects.toThrow(UsageError);
    await expect(db.copyIn('copy t to stdout', [])).rejects.toThrow('db.copyOut');
    await expect(db.copyIn('copy t from stdin', 'text' as never)).rejects.toThrow(UsageError);
    await expect(db.copyIn('copy t from stdin', [1 as never])).rejects.toThrow(UsageError);
    await expect(textOf(db.copyOut('copy t from stdin'))).rejects.toThrow('db.copyIn');
    await expect(db.copyIn('copy t from stdin; drop table t', [])).rejects.toThrow(QueryExecutionError);
    await expect(db.run('copy t from stdin')).rejects.toThrow(UsageError);
    await expectAtRest(db);
  });

  test('says that it was lost when the connection was', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const source = (async function* () {
      yield '1\tone\n';
      await db.value(
        'select pg_terminate_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid()',
        ['copy t%'],
      );
      await sleep(100);
      yield '2\ttwo\n';
    })();
    await expect(db.copyIn('copy t from stdin', source)).rejects.toThrow(ConnectionError);
    expect(await db.value('select count(*)::int from t')).toBe(0);
    await expectAtRest(db);
  });
});

describe('copyOut', () => {
  test('gives what the statement selects', async () => {
    const db = await openPostgresScratch(SCHEMA);
    const ended: unknown[] = [];
    db.on('query:end', ({ name, rows }) => ended.push([name, rows]));
    await db.copyIn('copy t from stdin', lines(20_000), { name: 'copy in' });
    const ordered = 'copy (select * from t order by id) to stdout';
    const text = await textOf(db.copyOut(ordered, { name: 'copy out' }));
    expect(text.split('\n')).toHaveLength(20_001);
    expect(text.startsWith('1\tname 1\n2\tname 2\n')).toBe(true);
    expect(ended).toEqual([
      ['copy in', 20_000],
      ['copy out', 20_000],
    ]);
    await expectAtRest(db);
  });

  test('ends where its loop ends, and the connection is free again', async () => {
    const db = await openPostgresScratch('', { pool: { max: 1 } });
    let pieces = 0;
    for await (const piece of db.copyOut('copy (select * from generate_series(1, 10000000)) to stdout')) {
      expect(piece.length).toBeGreaterThan(0);
      if (++pieces === 3) break;
    }
    expect(await db.value('select 1')).toBe(1);
    await expectAtRest(db);
  });

  test('holds the server back while nobody reads', async () => {
    const db = await openPostgresScratch('');
    const copy = db.copyOut("copy (select repeat('x', 10000) from generate_series(1, 20000)) to stdout");
    await copy.next();
    await sleep(200);
    const before = process.memoryUsage().arrayBuffers;
    await sleep(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    let bytes = 0;
    for await (const piece of copy) bytes += piece.length;
    expect(bytes).toBeGreaterThan(190_000_000);
  });

  test('in a transaction an early end leaves the transaction usable', async () => {
    const db = await openPostgresScratch(SCHEMA);
    await db.transaction(async () => {
      for await (const _ of db.copyOut('copy (select * from generate_series(1, 300000)) to stdout')) break;
      await db.run('insert into t values (1)');
    });
    expect(await db.value('select count(*)::int from t')).toBe(1);
  });
});

test('SQLite has neither COPY nor LISTEN, and says so', async () => {
  const { db } = await openScratch('create table t (id integer)');
  await expect(db.copyIn('copy t from stdin', [])).rejects.toThrow(UsageError);
  expect(() => db.copyOut('copy t to stdout')).toThrow(UsageError);
  await expect(db.listen('x')).rejects.toThrow(UsageError);
});
