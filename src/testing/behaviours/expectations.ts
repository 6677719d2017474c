import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, Queryable } from '../../driver/index.ts';

/** What `work` rejects with, which must be of that class. @throws AssertionError when it resolves */
export async function rejection<E extends Error>(
  work: Promise<unknown>,
  expected: abstract new (...args: never[]) => E,
): Promise<E> {
  let result: unknown;
  try {
    result = await work;
  } catch (error) {
    assert.ok(error instanceof expected, `rejected with ${String(error)}, not with ${expected.name}`);
    return error;
  }
  assert.fail(`was to reject with ${expected.name}, and gave ${String(result)}`);
}

/** The very value that `work` rejects with. */
export async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([work]);
  assert.equal(outcome.status, 'rejected', 'was to reject, and resolved');
  return outcome.status === 'rejected' ? outcome.reason : undefined;
}

/** Looks until `isSo`, or fails after ten seconds. */
export async function eventually(isSo: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `never came to be: ${what}`);
    await sleep(2);
  }
}

/** The rows of an iteration. */
export async function rowsOf<Row>(stream: AsyncIterable<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of stream) rows.push(row);
  return rows;
}

export function parseJson(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
}

export async function addThing(queryable: Queryable, id: number, name = `thing ${id}`): Promise<void> {
  await queryable.run('insert into things (id, name) values (:id, :name)', { id, name });
}

/** The names of all things, in order of their ids. */
export async function thingNames(queryable: Queryable): Promise<string[]> {
  const rows = await queryable.all<{ name: string }>('select name from things order by id');
  return rows.map(({ name }) => name);
}

export async function countThings(queryable: Queryable): Promise<number> {
  return Number(await queryable.value('select count(*) from things'));
}

/** Numbers from 1 on, as rows that the engine makes while they are read. */
export function numbersUpTo(last: number, columns = 'i'): string {
  const n = `select 1 union all select i + 1 from n where i < ${last}`;
  return `with recursive n (i) as (${n}) select ${columns} from n`;
}

/** Takes an engine about a second, and then gives one row. */
export const SLOW_READ: string = numbersUpTo(6_000_000, 'count(*) as n');
/** The same as a write, of which nothing must be seen when it is stopped. */
export const SLOW_WRITE: string = `
  insert into things (id, name) select n, 'slow' from (${SLOW_READ}) as slow returning id`;

/** Every kind of call, made in the same way. */
export const CALLS: Readonly<
  Record<string, (queryable: Queryable, text: string, options?: CallOptions) => Promise<unknown>>
> = {
  all: (queryable, text, options) => queryable.all(text, [], options),
  arrays: (queryable, text, options) => queryable.arrays(text, [], options),
  get: (queryable, text, options) => queryable.get(text, [], options),
  value: (queryable, text, options) => queryable.value(text, [], options),
  run: (queryable, text, options) => queryable.run(text, [], options),
  json: (queryable, text, options) => queryable.json(text, [], options),
  stream: (queryable, text, options) => rowsOf(queryable.stream(text, [], options)),
  batch: (queryable, text, options) => queryable.batch([text], options),
  script: (queryable, text, options) => queryable.script(text, options),
};
