import { describe, expectTypeOf, test } from 'vitest';
import type { BatchItemResult, CallOptions, Queryable, RunResult } from '../../src/driver/index.ts';
import type { Connection, Database, Lease } from '../../src/index.ts';
import { sql, type Sql } from '../../src/sql/index.ts';

interface User {
  id: number;
  name: string;
}

declare const db: Queryable;

describe('the types of a Queryable', () => {
  test('rows have the type that the caller names, and are plain objects without it', () => {
    expectTypeOf(db.all<User>(sql`select 1`)).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(db.get<User>(sql`select 1`)).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(db.get<User>('select 1', [1], { name: 'one' })).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(db.value<number>('select 1')).toEqualTypeOf<Promise<number | undefined>>();
    expectTypeOf(db.value('select 1')).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(db.all('select 1')).toEqualTypeOf<Promise<Record<string, unknown>[]>>();
    expectTypeOf(db.run('select 1')).toEqualTypeOf<Promise<RunResult>>();
    expectTypeOf(db.json('select 1')).toEqualTypeOf<Promise<Uint8Array<ArrayBuffer>>>();
    expectTypeOf(db.script('select 1')).toEqualTypeOf<Promise<void>>();
    expectTypeOf(db.batch<User>([sql`select 1`])).toEqualTypeOf<Promise<BatchItemResult<User>[]>>();
  });

  test('a stream is a loop over rows', async () => {
    for await (const user of db.stream<User>(sql`select 1`)) expectTypeOf(user).toEqualTypeOf<User>();
    expectTypeOf(db.stream<User>('select 1')).toEqualTypeOf<AsyncIterableIterator<User>>();
  });

  test('parameters are an array, an object, or an interface of the caller', () => {
    const user: User = { id: 1, name: 'Ada' };
    expectTypeOf(db.run('…', user)).toEqualTypeOf<Promise<RunResult>>();
    expectTypeOf(db.run('…', [1, 'x', null] as const)).toEqualTypeOf<Promise<RunResult>>();
    expectTypeOf(db.batch([sql`…`, '…', ['…', user], ['…', [1]]])).toEqualTypeOf<
      Promise<BatchItemResult[]>
    >();
  });

  test('wrong options and arguments do not compile', () => {
    expectTypeOf<Parameters<Queryable['script']>>().toEqualTypeOf<[text: string, options?: CallOptions]>();
    // @ts-expect-error -- no such option
    void (() => db.all(sql`…`, { timeout: 5 }));
    // @ts-expect-error -- no such option
    void (() => db.get('…', [], { timeout: 5 }));
    // @ts-expect-error -- a number of milliseconds
    void (() => db.run(sql`…`, { timeoutMs: '5s' }));
    // @ts-expect-error -- one of two words
    void (() => db.run(sql`…`, { target: 'secondary' }));
    // @ts-expect-error -- the controller, not its signal
    void (() => db.run(sql`…`, { signal: new AbortController() }));
    // @ts-expect-error -- a template carries its values
    void (() => db.all(sql`…`, [1], {}));
    // @ts-expect-error -- neither a text nor a template
    void (() => db.all(1));
    // @ts-expect-error -- values do not stand alone
    void (() => db.all('…', 1));
    // @ts-expect-error -- a script takes no parameters
    void (() => db.script('…', [1]));
    // @ts-expect-error -- a text and its parameters
    void (() => db.batch([['…']]));
    // @ts-expect-error -- get may find no row
    void (async (): Promise<User> => db.get<User>(sql`…`));
  });

  test('the tag makes an Sql, whose parts cannot be written', () => {
    const query = sql`select ${1}`;
    expectTypeOf(query).toEqualTypeOf<Sql>();
    expectTypeOf(sql.join([1, query], sql` and `)).toEqualTypeOf<Sql>();
    // @ts-expect-error -- immutable
    void (() => (query.values = []));
    // @ts-expect-error -- immutable
    void (() => (query.strings[0] = ''));
    // @ts-expect-error -- a tag is no function of a text
    void (() => sql('select 1'));
    // @ts-expect-error -- a separator is a fragment
    void (() => sql.join([1], ', '));
    // @ts-expect-error -- a name at least
    void (() => sql.id());
  });

  test('a lease holds a connection, which takes the calls of a database', () => {
    expectTypeOf<Lease['connection']>().toEqualTypeOf<Connection>();
    expectTypeOf<Awaited<ReturnType<Database['acquire']>>>().toEqualTypeOf<Lease>();
    expectTypeOf<Connection>().toExtend<Queryable>();
  });

  test('the figures of an engine have their own types', () => {
    const stats = (): ReturnType<Database['stats']> => undefined as never;
    expectTypeOf(() => stats().sqlite?.walBytes).returns.toEqualTypeOf<number | undefined>();
    expectTypeOf(() => stats().sqlite?.durability).returns.toEqualTypeOf<'full' | 'process' | undefined>();
    expectTypeOf(() => stats().postgres?.shared).returns.toEqualTypeOf<number | undefined>();
    // @ts-expect-error -- no such figure
    void (() => stats().sqlite?.walSize);
  });
});
