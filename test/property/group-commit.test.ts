import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { UsageError, type BatchItemResult, type Database } from '../../src/index.ts';
import {
  bursts,
  EMPTY,
  SCHEMA,
  TABLES,
  withLiterals,
  type Call,
  type Item,
  type Step,
  type Value,
} from '../fixtures/poison-writes.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

/*
 * Writes that came together share one transaction, and none of them may notice: random writes, most of them bad
 * neighbours, must give the results, the errors and the tables that they give one by one on a plain connection.
 * More of them: TEST_SCALE=1000 vitest run test/property/group-commit
 */

/** What a caller gets: a value, SQLite's own error, a refusal, or the reason of its signal. */
type Outcome =
  | { readonly value: unknown }
  | { readonly errcode: number; readonly message: string }
  | 'refused'
  | 'cancelled';

const REFUSED = new Error('refused');

/** The same on a connection that knows no groups: each item in autocommit, or in a transaction of its own. */
class OneByOne {
  readonly #database = new DatabaseSync(':memory:');

  constructor() {
    this.#database.exec(`pragma foreign_keys = on; ${SCHEMA}`);
  }

  empty(): void {
    // As the other side does it: in one transaction, or the order of deletions would matter.
    this.#database.exec(`begin; ${EMPTY} commit`);
  }

  tables(): unknown {
    return dump((text) => this.#database.prepare(text).all());
  }

  execute(item: Item): Outcome {
    try {
      return { value: this.#run(item) };
    } catch (error) {
      if (error === REFUSED) return 'refused';
      const { errcode, message } = error as Error & { errcode: number };
      return { errcode, message };
    } finally {
      if (this.#database.isTransaction) this.#database.exec('rollback');
    }
  }

  #run(item: Item): unknown {
    switch (item.kind) {
      case 'run': {
        const { rowsAffected, lastInsertId } = this.#step(item.step);
        return lastInsertId === undefined ? { rowsAffected } : { rowsAffected, lastInsertId };
      }
      case 'batch':
        return this.#together(() => item.steps.map((one) => this.#step(one)));
      case 'script':
        return this.#together(() => item.steps.forEach((one) => this.#literally(one)));
      case 'all':
        return this.#rows(item.step);
      case 'get':
        return this.#rows(item.step)[0];
      case 'value':
        return Object.values(this.#rows(item.step)[0] ?? {})[0];
      case 'json':
        return this.#rows(item.step);
    }
  }

  #together<T>(work: () => T): T {
    this.#database.exec('begin immediate');
    const result = work();
    this.#database.exec('commit');
    return result;
  }

  #step({ text, params, tellsRowid = false, isRefused = false }: Step): BatchItemResult {
    if (isRefused) throw REFUSED;
    const statement = this.#database.prepare(text);
    if (statement.columns().length > 0) {
      const rows = statement.all(...bindable(params)) as Record<string, unknown>[];
      return { rows, rowsAffected: rows.length };
    }
    const { changes, lastInsertRowid } = statement.run(...bindable(params));
    const rowsAffected = Number(changes);
    if (!tellsRowid || rowsAffected === 0) return { rows: [], rowsAffected };
    return { rows: [], rowsAffected, lastInsertId: Number(lastInsertRowid) };
  }

  #literally(given: Step): void {
    if (given.isRefused === true) throw REFUSED;
    this.#database.exec(withLiterals(given));
  }

  #rows({ text, params }: Step): Record<string, unknown>[] {
    return this.#database.prepare(text).all(...bindable(params));
  }
}

/** Whole numbers are INTEGER for millpond; node:sqlite would make them REAL. */
function bindable(params: readonly Value[]): SQLInputValue[] {
  return params.map((value) => (typeof value === 'number' ? BigInt(value) : value));
}

function dump(read: (text: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(TABLES.map((table) => [table, read(`select * from ${table} order by 1`)]));
}

function send(db: Database, { item }: Call, signal: AbortSignal): Promise<unknown> {
  switch (item.kind) {
    case 'batch':
      return db.batch(
        item.steps.map(({ text, params }) => [text, params] as const),
        { signal },
      );
    case 'script':
      return db.script(item.steps.map(withLiterals).join(';\n'), { signal });
    case 'json':
      return db
        .json(item.step.text, item.step.params, { signal })
        .then((body) => JSON.parse(decoder.decode(body)));
    case 'run':
      return db.run(item.step.text, item.step.params, { signal });
    case 'all':
      return db.all(item.step.text, item.step.params, { signal });
    case 'get':
      return db.get(item.step.text, item.step.params, { signal });
    case 'value':
      return db.value(item.step.text, item.step.params, { signal });
  }
}

const decoder = new TextDecoder();
const CANCELLED = new Error('the caller went away');

async function call(db: Database, one: Call): Promise<Outcome> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(CANCELLED);
  if (one.cancel === 'before') abort();
  const answer = send(db, one, controller.signal);
  if (one.cancel === 'same tick') abort();
  else if (one.cancel === 'next microtask') queueMicrotask(abort);
  else if (one.cancel === 'next turn') setImmediate(abort);
  else if (one.cancel === 'soon') setTimeout(abort, 1);
  try {
    return { value: await answer };
  } catch (error) {
    return toOutcome(error);
  }
}

function toOutcome(error: unknown): Outcome {
  if (error === CANCELLED) return 'cancelled';
  if (error instanceof UsageError) return 'refused';
  const cause = (error as Error).cause as { errcode?: number; message?: string } | undefined;
  if (cause?.errcode === undefined) throw error;
  return { errcode: cause.errcode, message: cause.message! };
}

/** Calls are executed in the order of their making; one that was cancelled is not executed at all. */
async function expectSameAsOneByOne(
  db: Database,
  model: OneByOne,
  given: readonly (readonly Call[])[],
): Promise<void> {
  await db.script(EMPTY);
  model.empty();
  for (const burst of given) {
    const actual = await Promise.all(burst.map((one) => call(db, one)));
    const expected = burst.map(({ item: one }, index) =>
      actual[index] === 'cancelled' ? 'cancelled' : model.execute(one),
    );
    expect(actual).toEqual(expected);
    expect(await tablesOf(db)).toEqual(model.tables());
  }
}

async function tablesOf(db: Database): Promise<unknown> {
  const read = await Promise.all(TABLES.map((table) => db.all(`select * from ${table} order by 1`)));
  return Object.fromEntries(TABLES.map((table, index) => [table, read[index]]));
}

describe('group commit', () => {
  test(
    'gives every write what it would get alone, whatever its neighbours do (C18)',
    async () => {
      const { db } = await openScratch(SCHEMA);
      const model = new OneByOne();
      const same = fc.asyncProperty(bursts, (given) => expectSameAsOneByOne(db, model, given));
      await fc.assert(same, { numRuns: scaled(200) });
      const { groupCommits, groupedWrites, groupReplays } = db.stats().sqlite!;
      // Otherwise nothing was shared, and nothing shown.
      expect(Number(groupedWrites) / Number(groupCommits)).toBeGreaterThan(3);
      expect(groupReplays).toBeGreaterThan(10);
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );
});
