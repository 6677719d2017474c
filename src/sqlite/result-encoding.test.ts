import { describe, expect, test } from 'vitest';
import { NumberStore } from './columnar.ts';
import { Cursor, Status, type Reply } from './protocol.ts';
import { buildRows, decodeBatch, decodeRows, shapeRows, type KnownColumns } from './result-decoding.ts';
import { encodeJsonBody, encodeRows } from './result-encoding.ts';
import { RowShapes } from './row-builder.ts';

type Values = readonly (readonly unknown[])[];

const shapes = new RowShapes();
const find = (columns: readonly string[]) => shapes.get(columns);
const newReply = (): Reply => ({ wire: [], numbers: new NumberStore(), transfer: [] });

/** As a message is: cloned from one thread to the other. */
function received({ wire, numbers }: Reply): Cursor {
  const [clonedNumbers, clonedWire] = structuredClone([numbers.take(), wire] as const);
  return new Cursor(clonedWire, clonedNumbers);
}

/** There and back, as `all` gives it; and by which encoding. */
function roundTrip(
  columns: readonly string[],
  rows: Values,
): { readonly status: number; readonly rows: unknown } {
  const reply = newReply();
  // Something of another answer stands before.
  reply.numbers.reserve(1);
  reply.numbers.add(7);
  encodeRows(reply, 5, { columns, width: columns.length, rows, micros: 3 });
  const cursor = received(reply);
  expect(cursor.next()).toBe(5);
  const status = cursor.next<number>();
  const known: KnownColumns = { shape: undefined };
  const decoded = decodeRows(cursor, status, known, find);
  expect(decoded).toMatchObject({ count: rows.length, micros: 3, width: columns.length });
  expect(cursor.done).toBe(true);
  return { status, rows: buildRows(decoded, known.shape) };
}

const toObjects = (columns: readonly string[], rows: Values) =>
  rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));

const COLUMNS = ['a', 'b', 'c'];
const many = (row: (index: number) => readonly unknown[], count = 30): Values =>
  Array.from({ length: count }, (_, index) => row(index));

const RESULTS: readonly (readonly [what: string, rows: Values, status: number])[] = [
  ['few rows', [[1, 'a', null]], Status.rows],
  ['no rows', [], Status.rows],
  ['numbers and strings', many((index) => [index / 3, `s${index}`, -index]), Status.columnar],
  ['NULLs anywhere', many((index) => [index % 2 ? null : 1, index % 3 ? null : 'x', null]), Status.columnar],
  ['empty strings', many((index) => [index, '', index % 2 ? '' : 'x']), Status.columnar],
  ['infinities and -0', many((index) => [Infinity, -Infinity, index % 2 ? -0 : 0]), Status.columnar],
  [
    'strings around the length of a text',
    many((index) => [index, 'x'.repeat(4_090 + index), '']),
    Status.columnar,
  ],
  [
    'one long string',
    many((index) => [index, index === 17 ? 'y'.repeat(100_000) : 'z', null]),
    Status.columnar,
  ],
  ['characters of two units', many((index) => ['🌊'.repeat(index * 100), index, '\ufeff']), Status.columnar],
  ['a blob somewhere', many((index) => [1, 'a', index === 29 ? new Uint8Array([1, 2]) : null]), Status.rows],
  ['a bigint somewhere', many((index) => [1, 'a', index === 13 ? 2n ** 60n : 5]), Status.rows],
  ['numbers and strings in one column', many((index) => [index === 20 ? 'x' : index, 1, 2]), Status.rows],
];

describe('rows', () => {
  test.each(RESULTS)('with %s arrive as they were', (_, rows, status) => {
    const result = roundTrip(COLUMNS, rows);
    expect(result.rows).toStrictEqual(toObjects(COLUMNS, rows));
    expect(result.status).toBe(status);
  });

  test('of one row come as values, however many they are: get() reads them one by one', () => {
    const columns = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const row = columns.map((_, index) => index);
    const reply = newReply();
    encodeRows(reply, 1, { columns, width: 40, rows: [row], micros: 0 });
    const cursor = received(reply);
    cursor.next();
    const known: KnownColumns = { shape: undefined };
    const decoded = decodeRows(cursor, cursor.next(), known, find);
    expect(shapeRows('get', decoded, known.shape)).toEqual(toObjects(columns, [row])[0]);
    expect(shapeRows('value', decoded, known.shape)).toBe(0);
  });

  test('without any rows give undefined to get() and value(), and a NULL gives null', () => {
    const decodedFrom = (rows: Values) => {
      const reply = newReply();
      encodeRows(reply, 1, { columns: ['a'], width: 1, rows, micros: 0 });
      const cursor = received(reply);
      cursor.next();
      return decodeRows(cursor, cursor.next(), { shape: undefined }, find);
    };
    expect(shapeRows('get', decodedFrom([]), undefined)).toBeUndefined();
    expect(shapeRows('value', decodedFrom([]), undefined)).toBeUndefined();
    expect(shapeRows('value', decodedFrom([[null]]), undefined)).toBeNull();
  });

  test('without their columns are read with those that came before', () => {
    const known: KnownColumns = { shape: undefined };
    const read = (columns: readonly string[] | null, rows: Values) => {
      const reply = newReply();
      encodeRows(reply, 1, { columns, width: 1, rows, micros: 0 });
      const cursor = received(reply);
      cursor.next();
      return buildRows(decodeRows(cursor, cursor.next(), known, find), known.shape);
    };
    expect(read(['a'], [[1]])).toEqual([{ a: 1 }]);
    expect(read(null, [[2]])).toEqual([{ a: 2 }]);
    expect(
      read(
        ['b'],
        many((index) => [index]),
      ),
    ).toHaveLength(30);
    expect(read(null, [[3]])).toEqual([{ b: 3 }]);
  });

  test('of a batch are read part by part', () => {
    const reply = newReply();
    reply.wire.push(3);
    const parts: readonly [
      id: number,
      affected: number,
      last: number | null,
      columns: string[],
      rows: Values,
    ][] = [
      [7, 1, 12, [], []],
      [8, 0, null, COLUMNS, many((index) => [index, 'a', null])],
      [9, 2, null, ['id'], [[1], [2n ** 60n]]],
    ];
    for (const [id, affected, last, columns, rows] of parts) {
      reply.wire.push(id, affected, last);
      encodeRows(reply, 1, { columns, width: columns.length, rows, micros: 0 });
    }
    const known = new Map<number, KnownColumns>(parts.map(([id]) => [id, { shape: undefined }]));
    expect(decodeBatch(received(reply), (id) => known.get(id)!, find)).toStrictEqual([
      { rowsAffected: 1, lastInsertId: 12, rows: [] },
      { rowsAffected: 0, rows: toObjects(COLUMNS, parts[1]![4]) },
      { rowsAffected: 2, rows: [{ id: 1 }, { id: 2n ** 60n }] },
    ]);
  });
});

describe('a JSON body', () => {
  const textOf = (columns: readonly string[], rows: Values) =>
    new TextDecoder('utf-8', { fatal: true }).decode(encodeJsonBody(columns, rows));

  test('is what JSON.stringify makes of the rows', () => {
    const rows: Values = [
      [1, 'é"\\\n\u2028🌊', null],
      [-0.5, '', 1e300],
    ];
    expect(textOf(COLUMNS, rows)).toBe(JSON.stringify(toObjects(COLUMNS, rows)));
    expect(textOf(COLUMNS, [])).toBe('[]');
  });

  test('has as text what JSON has no form for, and every name as it is', () => {
    const columns = ['__proto__', '"', 'x', 'y'];
    const body = textOf(columns, [[2n ** 60n, Infinity, -Infinity, new Uint8Array([251, 255])]]);
    expect(body).toBe('[{"__proto__":"1152921504606846976","\\"":"Infinity","x":"-Infinity","y":"+/8="}]');
  });
});
