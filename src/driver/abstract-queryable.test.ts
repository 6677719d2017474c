import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { sql, type Dialect, type Sql } from '../sql/index.ts';
import { AbstractQueryable } from './abstract-queryable.ts';
import { NO_OPTIONS } from './call-options.ts';
import type { BatchItemResult, CallOptions, Shape, ShapeResult, Statement } from './calls.ts';

/** Answers every call with what it was asked. */
class Recorder extends AbstractQueryable {
  readonly dialect: Dialect;
  readonly calls: unknown[][] = [];

  constructor(dialect: Dialect = 'sqlite') {
    super();
    this.dialect = dialect;
  }

  async execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    this.calls.push([shape, statement, options]);
    return [{ id: 1 }] as unknown as ShapeResult[S];
  }

  async *executeStream(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    this.calls.push(['stream', statement, options]);
    yield [{ id: 1 }, { id: 2 }];
    yield [{ id: 3 }];
  }

  async executeBatch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    this.calls.push(['batch', statements, options]);
    return [];
  }

  async executeScript(text: string, options: CallOptions): Promise<void> {
    this.calls.push(['script', text, options]);
  }
}

const SHAPES = ['all', 'get', 'value', 'run', 'json'] as const;
const wrong = <T>(value: unknown): T => value as T;

/** The methods have the same overloads, which TypeScript cannot see through a union. */
type Call = (query: string | Sql, second?: unknown, options?: CallOptions) => Promise<unknown>;
const callerOf = (db: Recorder, shape: (typeof SHAPES)[number]): Call => (db[shape] as Call).bind(db);

describe.each(SHAPES)('%s', (shape) => {
  test('runs a template, without options and with them', async () => {
    const db = new Recorder();
    const call = callerOf(db, shape);
    const options = { timeoutMs: 5 };
    await call(sql`select ${1}`);
    await call(sql`select ${1}`, options);
    const statement = { text: 'select ?', params: [1] };
    expect(db.calls).toEqual([
      [shape, statement, NO_OPTIONS],
      [shape, statement, options],
    ]);
    expect(db.calls[0]![2]).toBe(NO_OPTIONS);
    expect(db.calls[1]![2]).toBe(options);
  });

  test('runs a text with named, positional and no parameters', async () => {
    const db = new Recorder('postgres');
    const call = callerOf(db, shape);
    await call('select :a', { a: 1 }, { name: 'one' });
    await call('select $1', [2]);
    await call('select 3');
    await call('select 4', undefined, { name: 'four' });
    expect(db.calls).toEqual([
      [shape, { text: 'select $1', params: [1] }, { name: 'one' }],
      [shape, { text: 'select $1', params: [2] }, {}],
      [shape, { text: 'select 3', params: [] }, {}],
      [shape, { text: 'select 4', params: [] }, { name: 'four' }],
    ]);
  });

  test('gives the result of the engine', async () => {
    expect(await callerOf(new Recorder(), shape)(sql`select 1`)).toEqual([{ id: 1 }]);
  });

  test('rejects for faults in the arguments, and throws none', async () => {
    const db = new Recorder();
    const call = callerOf(db, shape);
    const calls = [
      call('select :a', {}),
      call('select ?'),
      call(wrong<string>(undefined)),
      call(sql`select ${undefined}`),
      call(sql`select 1`, wrong({ timeout: 5 })),
      call(sql`select 1`, wrong([1])),
      call('select 1', [], { timeoutMs: -1 }),
      call(wrong<string>(sql`select 1`), undefined, { timeoutMs: 1 }),
    ];
    for (const rejected of calls) await expect(rejected).rejects.toBeInstanceOf(UsageError);
    expect(db.calls).toEqual([]);
  });

  test('says so when options stand where parameters go', async () => {
    const db = new Recorder();
    const call = callerOf(db, shape);
    const message = 'Options stand where the parameters go: behind a text they are the third argument';
    await expect(call('select 1', { timeoutMs: 5 })).rejects.toThrow(message);
    await expect(call('select :id', { timeoutMs: 5 })).rejects.toThrow('no value for :id');
    await expect(call('select ?', { name: 'x' })).rejects.toThrow('positional placeholders');
    await call('select :name', { name: 'x' });
    expect(db.calls).toHaveLength(1);
  });
});

test('a synchronous throw of an engine rejects too', async () => {
  class Broken extends Recorder {
    override execute(): never {
      throw new Error('engine');
    }
  }
  await expect(new Broken().all('select 1')).rejects.toThrow('engine');
});

describe('stream', () => {
  test('gives the rows of all chunks', async () => {
    const db = new Recorder();
    const rows: unknown[] = [];
    for await (const row of db.stream(sql`select ${1}`, { name: 'rows' })) rows.push(row);
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(db.calls).toEqual([['stream', { text: 'select ?', params: [1] }, { name: 'rows' }]]);
  });

  test('reads its arguments at the call and starts at the first row', async () => {
    const db = new Recorder();
    const params = [1];
    const stream = db.stream('select ?', params);
    params[0] = 2;
    expect(db.calls).toEqual([]);
    await stream.next();
    expect(db.calls).toEqual([['stream', { text: 'select ?', params: [1] }, {}]]);
  });

  test('rejects the first row for faults in the arguments, and throws none', async () => {
    const db = new Recorder();
    await expect(db.stream('select :a', {}).next()).rejects.toThrow('no value for :a');
    await expect(db.stream('select 1', { name: 'x' }).next()).rejects.toThrow('Options stand where');
    await expect(db.stream(sql`select 1`, wrong({ timeout: 1 })).next()).rejects.toThrow(
      'Did you mean timeoutMs?',
    );
    expect(await db.stream('select :a', {}).return?.()).toEqual({ done: true, value: undefined });
    expect(db.calls).toEqual([]);
  });

  test("closes the engine's iterator when the loop is left", async () => {
    let closed = false;
    class Closing extends Recorder {
      override async *executeStream(): AsyncGenerator<Record<string, unknown>[], undefined> {
        try {
          yield [{ id: 1 }, { id: 2 }];
        } finally {
          closed = true;
        }
      }
    }
    for await (const _ of new Closing().stream('select 1')) break;
    expect(closed).toBe(true);
  });
});

describe('batch', () => {
  test('takes templates, texts, and texts with parameters', async () => {
    const db = new Recorder();
    await db.batch([sql`insert ${1}`, 'delete', ['update :a', { a: 2 }], ['select ?', [3]]], {
      name: 'four',
    });
    const statements = [
      { text: 'insert ?', params: [1] },
      { text: 'delete', params: [] },
      { text: 'update ?1', params: [2] },
      { text: 'select ?', params: [3] },
    ];
    expect(db.calls).toEqual([['batch', statements, { name: 'four' }]]);
  });

  test('leaves an empty list to the engine, which knows whether it may still be used', async () => {
    const db = new Recorder();
    expect(await db.batch([])).toEqual([]);
    expect(db.calls).toEqual([['batch', [], {}]]);
  });

  test('says which statement is at fault, and runs none', async () => {
    const db = new Recorder();
    const fault = db.batch([sql`insert ${1}`, ['update :a', { b: 1 }]]);
    await expect(fault).rejects.toThrow(
      'Statement 2 of the batch: The parameters do not fit the text: no value for :a',
    );
    await expect(fault).rejects.toBeInstanceOf(UsageError);
    await expect(db.batch([wrong(['select 1'])])).rejects.toThrow(
      'Statement 1 of the batch: An array in a batch',
    );
    await expect(db.batch([wrong({ text: 'select 1' })])).rejects.toThrow(
      'Statement 1 of the batch: A query is',
    );
    await expect(db.batch(wrong<Sql[]>(sql`select 1`))).rejects.toThrow('A batch is an array of statements.');
    await expect(db.batch([], wrong({ timeout: 1 }))).rejects.toThrow('Did you mean timeoutMs?');
    expect(db.calls).toEqual([]);
  });

  test('passes on what is not a fault of an argument as it is', async () => {
    const params = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new RangeError('trap');
        },
      },
    );
    await expect(new Recorder().batch([['select :a', params]])).rejects.toThrow(RangeError);
  });
});

describe('script', () => {
  test('passes the text on, placeholders and all', async () => {
    const db = new Recorder();
    await db.script("create table t (a); insert into t values (':x?')", { timeoutMs: 0 });
    expect(db.calls).toEqual([
      ['script', "create table t (a); insert into t values (':x?')", { timeoutMs: 0 }],
    ]);
  });

  test('C62: refuses NUL, what is no string, and wrong options', async () => {
    const db = new Recorder();
    await expect(db.script('select 1;\0 drop table t')).rejects.toThrow('NUL character at index 9');
    await expect(db.script(wrong(sql`select 1`))).rejects.toThrow(
      'A script is a string; it takes no parameters.',
    );
    await expect(db.script('select 1', wrong([1]))).rejects.toThrow('Call options are an object');
    expect(db.calls).toEqual([]);
  });
});
