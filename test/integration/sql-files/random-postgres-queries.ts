type Kind = 'number' | 'text' | 'truth';
type Columns = Readonly<Record<Kind, readonly string[]>>;

export const SCHEMA = `
create table t (id int primary key, n int not null unique, m int, s text not null, x text, f boolean not null);
create table u (id int primary key, tid int not null, v text not null, w int, g boolean);
create table k (a text, c int, e int, primary key (a, c));
create index ut on u (tid); create index uw on u (w); create index tm on t (m);
create view tu as select t.id, t.n, t.m, u.v, u.w from t left join u on u.tid = t.id;`;

const TABLES: Readonly<Record<string, Columns>> = {
  t: { number: ['id', 'n', 'm'], text: ['s', 'x'], truth: ['f'] },
  u: { number: ['id', 'tid', 'w'], text: ['v'], truth: ['g'] },
  k: { number: ['c', 'e'], text: ['a'], truth: [] },
  tu: { number: ['id', 'n', 'm', 'w'], text: ['v'], truth: [] },
};
const LITERALS: Columns = {
  number: ['1', '0', '2', 'null::int'],
  text: ["'a'::text", "''::text", 'null::text'],
  truth: ['true', 'false', 'null::boolean'],
};

/** Writes queries that PostgreSQL takes, with NULL in every place, and rows for them. */
export class RandomQueries {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  query(): string {
    const kind = this.#random();
    if (kind < 0.06) return this.#union();
    if (kind < 0.09) {
      const step = this.#pick(['n + 1', 'm', 'nullif(n + 1, 3)', 'coalesce(m, 1)']);
      const start = this.#pick(['id, n', 'n, m', '1, 1']);
      return `with recursive c (n, m) as (select ${start} from t union select ${step}, n from c where n < 4) select ${this.#pick(['n, m', 'm, n', 'm'])} from c`;
    }
    if (kind < 0.14)
      return `with c as ${this.#pick(['', 'materialized '])}(${this.#select()}) select * from c`;
    return kind < 0.28 ? this.#write() : this.#select();
  }

  /** Few rows, with few values: conditions find some, and NULL is among them. */
  rows(): string {
    const maybe = (value: string) => (this.#random() < 0.5 ? 'null' : value);
    const number = () => `${this.#below(5) - 1}`;
    const word = () => this.#pick(["''", "'a'", "'2'", "'b'"]);
    const lines = ['delete from t; delete from u; delete from k;'];
    for (let id = this.#below(5); id > 0; id -= 1) {
      const values = [id, id, maybe(number()), word(), maybe(word()), this.#pick(['true', 'false'])];
      lines.push(`insert into t values (${values.join(', ')});`);
    }
    for (let id = this.#below(6); id > 0; id -= 1) {
      lines.push(
        `insert into u values (${[id, number(), word(), maybe(number()), maybe('true')].join(', ')});`,
      );
    }
    for (let id = this.#below(4); id > 0; id -= 1)
      lines.push(`insert into k values ('${id}', ${id}, ${maybe(number())});`);
    return lines.join('\n');
  }

  #union(): string {
    const { t, k } = TABLES as { t: Columns; k: Columns };
    const part = (columns: Columns, table: string) =>
      `select ${this.#pick(columns.number)}, ${this.#expression('number', columns, 2)} from ${table}`;
    const operator = () => this.#pick(['union', 'union all', 'union all', 'intersect', 'except']);
    const end = this.#pick(['', ' order by 1', ' limit 3', ' order by 2 limit 3']);
    const text = `${part(t, 't')} ${operator()} ${part(k, 'k')} ${operator()} ${part(t, 't')}${end}`;
    const columns = 'select n, m, count(*) over ()';
    return this.#pick([
      text,
      `with c (m, n) as materialized (${text}) ${columns} from c`,
      `${columns} from (${text}) q (n, m)`,
    ]);
  }

  #write(): string {
    const { t, u } = TABLES as { t: Columns; u: Columns };
    const kind = this.#random();
    if (kind < 0.4) {
      const [column, type] = this.#pick([
        ['m', 'number'],
        ['x', 'text'],
      ] as const);
      const known = this.#random() < 0.4 ? `${column} is not null and ` : '';
      const where = `${known}${this.#expression('truth', t, 1)}`;
      return `update t set ${column} = ${this.#expression(type, t, 2)} where ${where} returning id, m, x, ${this.#any(t, 1)}`;
    }
    if (kind < 0.7)
      return `delete from u where ${this.#expression('truth', u, 1)} returning w, v, ${this.#any(u, 1)}`;
    const rows = this.#pick([
      "values (900, 1, 'a', 1)",
      `select id + 900, n, s, ${this.#expression('number', t, 1)} from t where ${this.#expression('truth', t, 1)}`,
      "values (1, 1, 'a', null)",
    ]);
    const action = this.#pick([
      'nothing',
      'update set w = excluded.w',
      'update set w = null where u.w is not null',
    ]);
    const conflict = this.#random() < 0.6 ? `on conflict (id) do ${action}` : '';
    return `insert into u (id, tid, v, w) ${rows} ${conflict} returning id, w, v`;
  }

  #select(): string {
    const { from, columns } = this.#source();
    const all = Object.values(columns).flat();
    const known = this.#pick([
      `${this.#pick(all)} is not null and `,
      `${this.#pick(columns.number)} = 1 and `,
      '',
    ]);
    const where = this.#random() < 0.7 ? ` where ${known}${this.#expression('truth', columns, 2)}` : '';
    const kind = this.#random();
    if (kind < 0.2) {
      const key = this.#pick(all);
      const isGrouped = this.#random() < 0.7;
      const group = isGrouped ? ` group by ${key}` : '';
      const having = this.#random() < 0.3 ? ` having ${this.#aggregate(columns)} is not null` : '';
      return `select ${isGrouped ? `${key}, ` : ''}${this.#aggregate(columns)}, ${this.#aggregate(columns)} from ${from}${where}${group}${having}`;
    }
    if (kind < 0.3) {
      const call = this.#pick([
        'row_number()',
        'count(*)',
        `sum(${this.#pick(columns.number)})`,
        `lag(${this.#pick(all)})`,
      ]);
      const over = this.#pick(['', `order by ${this.#pick(all)}`, `partition by ${this.#pick(all)}`]);
      return `select ${this.#pick(all)}, ${call} over (${over}) from ${from}${where}`;
    }
    const list = Array.from({ length: 1 + this.#below(4) }, () => this.#any(columns, 2)).join(', ');
    const [distinct, limit] = [
      this.#random() < 0.15 ? 'distinct ' : '',
      this.#random() < 0.3 ? ' limit 1' : '',
    ];
    return `select ${distinct}${list} from ${from}${where}${limit}`;
  }

  #source(): { readonly from: string; readonly columns: Columns } {
    let from = '';
    let columns: Columns = { number: [], text: [], truth: [] };
    const count = 1 + this.#below(3);
    for (let index = 0; index < count; index += 1) {
      const alias = `a${index}`;
      const name = this.#pick(Object.keys(TABLES));
      const own = renamed(TABLES[name]!, (column) => `${alias}.${column}`);
      const joined = merged(columns, own);
      if (index === 0) from = `${this.#table(name)} ${alias}`;
      else {
        const join = this.#pick(['join', 'left join', 'left join', 'right join', 'full join', 'cross join']);
        // A FULL JOIN takes only conditions that can be merged or hashed.
        const isPlain = join === 'full join' || this.#random() < 0.8;
        const on = isPlain
          ? `${this.#pick(own.number)} = ${this.#pick(columns.number)}`
          : this.#expression('truth', joined, 1);
        from += ` ${join} ${this.#table(name)} ${alias}${join === 'cross join' ? '' : ` on ${on}`}`;
      }
      columns = joined;
    }
    return { from, columns };
  }

  #table(name: string): string {
    const all = Object.values(TABLES[name]!).flat();
    const kind = this.#random();
    if (kind < 0.15) {
      const list = all.map((column) =>
        this.#random() < 0.3 ? `coalesce(${column}, ${column}) as ${column}` : column,
      );
      const end = this.#pick([
        '',
        `where ${this.#pick(all)} is not null`,
        `order by ${this.#pick(all)} limit 2`,
      ]);
      return `(select ${list.join(', ')} from ${name} ${end})`;
    }
    if (kind > 0.25) return name;
    const isTruth = (column: string) => TABLES[name]!.truth.includes(column);
    const list = all.map((column) => `${isTruth(column) ? 'bool_or' : 'max'}(${column}) as ${column}`);
    return `(select ${list.join(', ')} from ${name} ${this.#pick(['', `group by ${this.#pick(all)}`])})`;
  }

  #aggregate(columns: Columns): string {
    const filter = this.#random() < 0.15 ? ` filter (where ${this.#expression('truth', columns, 1)})` : '';
    const [name, kind] = this.#pick([
      ['count', 'number'],
      ['sum', 'number'],
      ['max', 'number'],
      ['min', 'text'],
      ['array_agg', 'text'],
      ['bool_or', 'truth'],
    ] as const);
    return `${name}(${this.#expression(kind, columns, 1)})${filter}`;
  }

  #any(columns: Columns, depth: number): string {
    return this.#expression(this.#pick(['number', 'text', 'truth'] as const), columns, depth);
  }

  #expression(kind: Kind, columns: Columns, depth: number): string {
    if (depth === 0 || this.#random() < 0.25) {
      const isColumn = columns[kind].length > 0 && this.#random() < 0.85;
      return this.#pick(isColumn ? columns[kind] : LITERALS[kind]);
    }
    const [n, x, b] = (['number', 'text', 'truth'] as const).map(
      (each) => () => this.#expression(each, columns, depth - 1),
    ) as [() => string, () => string, () => string];
    const choices: Readonly<Record<Kind, readonly (() => string)[]>> = {
      number: this.#numbers(n, x, b),
      text: this.#texts(n, x),
      truth: this.#truths(n, x, b),
    };
    return this.#pick(choices[kind])();
  }

  #numbers(n: () => string, x: () => string, b: () => string): (() => string)[] {
    return [
      () => `(${n()} ${this.#pick(['+', '-', '*'])} ${n()})`,
      () => `${this.#pick(['coalesce', 'nullif', 'greatest', 'least'])}(${n()}, ${n()})`,
      () => `case when ${b()} then ${n()} ${this.#pick(['', `else ${n()}`])} end`,
      () => `${this.#pick(['abs', '-'])}(${n()})`,
      () => `length(${x()})`,
      () =>
        `(select ${this.#pick(['w', 'max(w)', 'count(*)::int', 'tid'])} from u q where q.${this.#pick(['tid', 'w'])} = ${n()}${this.#pick(['', ' limit 1'])})`,
    ];
  }

  #texts(n: () => string, x: () => string): (() => string)[] {
    return [
      () => `(${x()} || ${x()})`,
      () => `${this.#pick(['coalesce', 'nullif', 'concat'])}(${x()}, ${x()})`,
      () => `${this.#pick(['lower', 'trim', 'md5', 'reverse'])}(${x()})`,
      () => `substring(${x()}, ${this.#pick(["'a'", '1'])})`,
      () => `(${n()})::text`,
      () => `case ${n()} when ${n()} then ${x()} else ${x()} end`,
    ];
  }

  #truths(n: () => string, x: () => string, b: () => string): (() => string)[] {
    return [
      () => `(${n()} ${this.#pick(['=', '<', '<>', 'is distinct from'])} ${n()})`,
      () => `(${x()} ${this.#pick(['=', 'like'])} ${x()})`,
      () => `(${b()} ${this.#pick(['and', 'or'])} ${b()})`,
      () => `(not ${b()})`,
      () => `(${n()} is ${this.#pick(['', 'not '])}null)`,
      () => `(${b()} is ${this.#pick(['true', 'not true', 'unknown', 'not unknown'])})`,
      () => `(${n()} in (${n()}, ${n()}))`,
      () => `exists (select 1 from u q where q.${this.#pick(['w', 'tid'])} = ${n()})`,
      () => `(${n()} ${this.#pick(['', 'not '])}in (select q.${this.#pick(['w', 'tid'])} from u q))`,
    ];
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }
}

function renamed({ number, text, truth }: Columns, rename: (column: string) => string): Columns {
  return { number: number.map(rename), text: text.map(rename), truth: truth.map(rename) };
}

function merged(one: Columns, other: Columns): Columns {
  return {
    number: [...one.number, ...other.number],
    text: [...one.text, ...other.text],
    truth: [...one.truth, ...other.truth],
  };
}
