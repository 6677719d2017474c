import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createShapeReader, type ShapeSource } from '../../src/codegen/index.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../fixtures/scale.ts';

const SCHEMA = `create table t (id integer primary key, n int not null, m int, s text not null, x text, r real not null);
create table u (id integer primary key, tid int not null, v text not null, w int);
create table k (a text, c int, e int, primary key (a, c)) without rowid;
create index tm on t (m); create index tx on t (x desc, n); create unique index tn on t (n);
create index ut on u (tid); create index uw on u (w, v);
create view tv as select t.id, t.n, t.m, u.v, u.w from t left join u on u.tid = t.id;`;

const random = randomFrom(seed);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

/** Tables with their columns, as a query may name them. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  t: ['id', 'n', 'm', 's', 'x', 'r'],
  u: ['id', 'tid', 'v', 'w'],
  k: ['a', 'c', 'e'],
  tv: ['id', 'n', 'm', 'v', 'w'],
};

function expression(columns: readonly string[], depth: number): string {
  if (depth === 0 || random() < 0.3)
    return random() < 0.85 ? pick(columns) : pick(['1', '0', "'a'", 'null', '2.5']);
  const one = () => expression(columns, depth - 1);
  return pick([
    () => `(${one()} ${pick(['+', '-', '*', '/', '%', '||', '&', '|'])} ${one()})`,
    () => `(${one()} ${pick(['=', '<', '>=', '<>', 'is', 'is not'])} ${one()})`,
    () => `(${one()} ${pick(['and', 'or'])} ${one()})`,
    () => `(${one()} is ${pick(['', 'not '])}null)`,
    () => `(not ${one()})`,
    () => `coalesce(${one()}, ${one()})`,
    () => `ifnull(${one()}, ${one()})`,
    () => `nullif(${one()}, ${one()})`,
    () => `iif(${one()}, ${one()}, ${one()})`,
    () => `case when ${one()} then ${one()} ${random() < 0.6 ? `else ${one()}` : ''} end`,
    () => `case ${one()} when ${one()} then ${one()} else ${one()} end`,
    () =>
      `${pick(['lower', 'length', 'abs', 'typeof', 'hex', 'round', 'trim', 'quote', 'unicode', 'sign'])}(${one()})`,
    () => `${pick(['min', 'max', 'substr', 'instr'])}(${one()}, ${one()})`,
    () => `cast(${one()} as ${pick(['text', 'integer', 'real', 'numeric', 'blob'])})`,
    () => `(${one()} in (${one()}, ${one()}))`,
    () => `(${one()} between ${one()} and ${one()})`,
    () => `(${one()} like ${one()})`,
    () =>
      `(select ${pick(['w', 'v', 'max(w)', 'count(*)', 'min(v)', 'sum(tid)'])} from u where ${pick(['tid', 'w', 'id'])} = ${pick(columns)})`,
    () => `exists (select 1 from u where w = ${pick(columns)})`,
    () => `(${one()} in (select ${pick(['w', 'tid'])} from u))`,
  ])();
}

function aggregateOf(columns: readonly string[]): string {
  const arg = expression(columns, 1);
  const filter = random() < 0.2 ? ` filter (where ${expression(columns, 1)})` : '';
  return `${pick(['count', 'sum', 'min', 'max', 'avg', 'total', 'group_concat'])}(${random() < 0.2 ? 'distinct ' : ''}${arg})${filter}`;
}

interface Source {
  readonly from: string;
  readonly columns: readonly string[];
}

function source(): Source {
  const parts: string[] = [];
  const columns: string[] = [];
  const count = 1 + below(3);
  for (let index = 0; index < count; index += 1) {
    const alias = `a${index}`;
    const table = pick(Object.keys(TABLES));
    const inner = random();
    const names = TABLES[table]!;
    const own = names.map((name) => `${alias}.${name}`);
    const text =
      inner < 0.15
        ? `(select ${names.map((name) => (random() < 0.3 ? `coalesce(${name}, ${name}) as ${name}` : name)).join(', ')} from ${table} ${random() < 0.5 ? `where ${pick(names)} is not null` : ''} ${random() < 0.3 ? 'limit 2' : ''})`
        : inner < 0.25
          ? `(select ${names.map((name) => `max(${name}) as ${name}`).join(', ')} from ${table} ${random() < 0.7 ? `group by ${pick(names)}` : ''})`
          : table;
    const join = pick(['join', 'left join', 'left join', 'right join', 'full join', 'cross join']);
    const on =
      join === 'cross join'
        ? ''
        : ` on ${random() < 0.8 && columns.length > 0 ? `${pick(own)} = ${pick(columns)}` : expression([...columns, ...own], 1)}`;
    parts.push(index === 0 ? `${text} ${alias}` : `${join} ${text} ${alias}${on}`);
    columns.push(...own);
  }
  return { from: parts.join(' '), columns };
}

function select(): string {
  const { from, columns } = source();
  const kind = random();
  const where = random() < 0.6 ? ` where ${expression(columns, 2)}` : '';
  if (kind < 0.2) {
    const key = pick(columns);
    const group = random() < 0.7 ? ` group by ${key}` : '';
    const having = group !== '' && random() < 0.3 ? ` having ${aggregateOf(columns)}` : '';
    return `select ${group === '' ? '' : `${key}, `}${aggregateOf(columns)}, ${aggregateOf(columns)}, ${random() < 0.3 ? pick(columns) : '1'} from ${from}${where}${group}${having}`;
  }
  if (kind < 0.3) {
    const over = pick([`order by ${pick(columns)}`, `partition by ${pick(columns)}`, '']);
    return `select ${pick(columns)}, ${pick(['row_number()', 'count(*)', `sum(${pick(columns)})`, `lag(${pick(columns)})`, `max(${pick(columns)})`])} over (${over}) from ${from}${where}`;
  }
  const list = Array.from({ length: 1 + below(4) }, () => expression(columns, 2)).join(', ');
  const distinct = random() < 0.15 ? 'distinct ' : '';
  const order = random() < 0.3 ? ` order by ${pick(columns)}${pick(['', ' desc'])}` : '';
  const limit = random() < 0.3 ? ` limit ${1 + below(3)}` : '';
  return `select ${distinct}${list} from ${from}${where}${order}${limit}`;
}

function query(): string {
  const kind = random();
  if (kind < 0.08) {
    const table = pick(['t', 'u']);
    return `select ${pick(TABLES[table]!)} from ${table} ${pick(['union', 'union all', 'intersect', 'except'])} select ${pick(TABLES['k']!)} from k`;
  }
  if (kind < 0.13) return `with c as ${pick(['', 'materialized '])}(${select()}) select * from c`;
  if (kind < 0.2) {
    return `update t set ${pick(['m', 'x'])} = ${expression(TABLES['t']!, 2)} where ${expression(TABLES['t']!, 1)} returning id, m, x, n, ${expression(TABLES['t']!, 1)}`;
  }
  if (kind < 0.24)
    return `delete from u where ${expression(TABLES['u']!, 1)} returning w, v, ${expression(TABLES['u']!, 1)}`;
  if (kind < 0.3) return insert();
  return select();
}

/** Their rows are given after all is written: how many there are is told by what puts them aside. */
function insert(): string {
  const word = pick(['insert', 'insert', 'insert or ignore', 'insert or replace']);
  const rows = pick([
    "values (901, 1, 'a', 1)",
    "values (901, 1, 'a', null), (902, 2, 'b', 2)",
    'select id + 900, n, s, m from t',
    `select id + 900, n, s, m from t where id = ${below(4)}`,
    `select 901, max(n), 'x', 1 from t`,
    "values (1, 7, 'a', 1)",
  ]);
  const end =
    word === 'insert' && random() < 0.5
      ? ` on conflict (id) do ${pick(['nothing', 'update set w = excluded.w', 'update set v = v where w > 0'])}`
      : '';
  return `${word} into u (id, tid, v, w) ${rows.startsWith('select') && end !== '' && !rows.includes('where') ? `${rows} where true` : rows}${end} returning id, w, ${expression(TABLES['u']!, 1)}`;
}

function fill(db: DatabaseSync): void {
  db.exec('delete from t; delete from u; delete from k');
  const maybe = (value: string): string => (random() < 0.5 ? 'null' : value);
  const number = (): string => String(below(5) - 1);
  const word = (): string => pick(["''", "'a'", "'2'", "'b'"]);
  for (let id = 1; id <= below(5); id += 1) {
    db.exec(
      `insert into t values (${id}, ${id}, ${maybe(number())}, ${word()}, ${maybe(word())}, ${pick(['0.0', '1.5', '-2.0'])})`,
    );
  }
  for (let id = 1; id <= below(6); id += 1) {
    db.exec(`insert into u values (${id}, ${number()}, ${word()}, ${maybe(number())})`);
    db.exec(`insert or ignore into k values (${word()}, ${number()}, ${maybe(number())})`);
  }
}

/** The calls of a database, without its threads. */
function sourceOf(db: DatabaseSync): ShapeSource {
  return {
    dialect: 'sqlite',
    describe: async (text) => {
      const columns = db.prepare(text).columns();
      const names = columns.map(({ name }) => ({
        name,
        type: undefined,
        table: undefined,
        column: undefined,
      }));
      return { writes: false, tablesRead: [], tablesWritten: [], columns: names, parameters: [] };
    },
    all: async <Row>(text: string, params: readonly unknown[] = []) =>
      db.prepare(text).all(...(params as string[])) as Row[],
    batch: async () => [],
  };
}

test(
  'D17: no random query gives NULL, or rows, where its types say that it does not',
  { timeout: scaledTimeoutMs() },
  async () => {
    const db = new DatabaseSync(':memory:');
    db.exec(SCHEMA);
    const reader = createShapeReader(sourceOf(db));
    let exact = 0;
    for (let run = 0; run < scaled(80); run += 1) {
      const text = query();
      if (run % 20 === 0) fill(db);
      const shape = await reader.shapeOf(text).catch((error: unknown) => error as Error);
      // What SQLite refuses (an ambiguous name, a misplaced aggregate) is no query.
      if (shape instanceof Error) continue;
      for (let data = 0; data < 4; data += 1) {
        if (data > 0) fill(db);
        const statement = db.prepare(text);
        statement.setReturnArrays(true);
        db.exec('begin');
        const rows = ((): unknown[][] | undefined => {
          try {
            return statement.all() as unknown as unknown[][];
          } catch {
            return undefined;
          } finally {
            db.exec('rollback');
          }
        })();
        if (rows === undefined) continue;
        for (const [index, { nullable, type }] of shape.columns.entries()) {
          const bad = rows.some((row) => !(row[index] === null ? nullable : fits(type, row[index])));
          if (bad)
            throw new Error(
              `seed ${seed}, run ${run}: column ${index + 1} (${type}${nullable ? '?' : ''}) of ${text}`,
            );
          exact += nullable ? 0 : 1;
        }
        const [least, most] = { none: [0, 0], one: [1, 1], optional: [0, 1], many: [0, Infinity] }[
          shape.rows
        ];
        if (rows.length < least! || rows.length > most!)
          throw new Error(`seed ${seed}, run ${run}: ${rows.length} rows, not ${shape.rows}: ${text}`);
      }
    }
    // Saying nothing would be right too, and of no use.
    expect(exact).toBeGreaterThan(scaled(20));
  },
);

function fits(type: string, value: unknown): boolean {
  if (type === 'unknown') return true;
  const kind = value instanceof Uint8Array ? 'Uint8Array' : typeof value;
  return type.split(' | ').includes(kind);
}
