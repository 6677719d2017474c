import { describe } from 'vitest';
import { scratchForAll } from '../../fixtures/scratch-database.ts';
import { testNullability, type Row } from './nullability-table.ts';

/** Rows with NULL wherever NULL may be. */
const SCHEMA = `
create table t (id integer primary key, n int not null, m int, s text not null, x text, r real not null, q real, d datetime, b blob, f bool not null, y);
create table u (id integer primary key, tid int not null references t, v text not null, w text);
create table k (a text, c int, e text, primary key (a, c)) without rowid;
create table p (code text primary key, g int);
create index ut on u (tid);
create index tm on t (m);
create index tmd on t (q desc);
create unique index tn on t (n);
create view tu as select t.id, t.n, t.m, u.v, u.w from t left join u on u.tid = t.id;
create view tv as select n, coalesce(m, 0) as m0 from t where x is not null;
create trigger tt after insert on u begin update t set m = m + 1 where id = new.tid; end;
insert into t values (1, 1, null, 'a', null, 1.5, null, null, null, 1, null), (2, 2, 2, 'b', 'x', 2.5, 2.5, '2026-01-01', x'00', 0, 'y'), (3, 3, null, 'c', 'z', 0.5, 1.5, null, null, 1, 3), (4, -4, 0, '', '', 0.0, 0.0, 0, x'', 0, 0.5);
insert into u values (1, 1, 'v1', null), (2, 1, 'v2', 'w2'), (3, 2, 'v3', null);
insert into k values ('a', 1, null), ('b', 2, 'e');
insert into p values (null, 1), ('c', null);
`;

const ROWS: readonly Row[] = [
  [
    'select id, n, m, s, x, r, q, d, b, f, y from t',
    'number, number, number?, string, string?, number, number?, number | string?, Uint8Array?, number, unknown?',
  ],
  ['select * from u', 'number, number, string, string?'],
  ['select t.id + 0, t.rowid from t', 'number, number'],
  ['select a, c, e from k', 'string, number, string?'],
  ['select code, g from p', 'string?, number?'],
  ["select g from p where code = 'c'", 'number?'],
  ["select e from k where a = 'a' and c = 1", 'string?'],
  ['select m from t where m is not null', 'number'],
  ["select x from t where x > 'a'", 'string'],
  ['select x from t where x = ?1', 'string'],
  ['select m from t where m between 1 and 3', 'number'],
  ['select m from t where m in (1, 2)', 'number'],
  ['select m from t where m = ?1 or m = 5', 'number'],
  ['select q from t where q > 1', 'number?'],
  ['select q from t where q < 2 order by q', 'number?'],
  ["select x from t where x like 'a%'", 'string?'],
  ['select x from t where not (x is null)', 'string'],
  ['select x, m from t where x is not null and m > 0', 'string, number'],
  ['select x from t where x is not null or m is not null', 'string?'],
  ['select m from t order by m desc', 'number?'],
  ['select m from t where m > 0 order by m desc', 'number?'],
  ['select t.n, u.v, u.w from t join u on u.tid = t.id', 'number, string, string?'],
  ['select t.n, u.v, u.w from t left join u on u.tid = t.id', 'number, string?, string?'],
  [
    'select t.n, u.id, u.tid from t left join u on u.tid = t.id where u.id is not null',
    'number, number, number',
  ],
  ["select t.n, u.v from t left join u on u.tid = t.id where u.v > 'a'", 'number, string'],
  ['select t.n, u.v from t left join u on u.tid = t.id where u.id is null', 'number, string?'],
  ['select t.n, u.v from u right join t on u.tid = t.id', 'number, string?'],
  ['select t.n, u.v from t full join u on u.tid = t.id', 'number?, string?'],
  ['select t.n, u.v from t cross join u', 'number, string'],
  ['select t.n, u.v from t natural left join u', 'number, string?'],
  ['select a.n, b.n from t a left join t b on b.m = a.n', 'number, number?'],
  [
    'select a.n, b.n, c.n from t a left join t b on b.id = a.m left join t c on c.id = b.m',
    'number, number?, number?',
  ],
  [
    'select a.n, b.n, c.n from t a left join (t b join t c on c.id = b.m) on b.id = a.m',
    'number, number?, number?',
  ],
  ["select t.n, coalesce(u.v, 'none') from t left join u on u.tid = t.id", 'number, string'],
  ['select t.n, coalesce(u.w, u.v) from t join u on u.tid = t.id', 'number, string'],
  ['select t.n, coalesce(u.w, u.v) from t left join u on u.tid = t.id', 'number, string?'],
  ['select t.n, (select v from u where u.tid = t.id) from t', 'number, string?'],
  ['select t.n, (select count(*) from u where u.tid = t.id) from t', 'number, number'],
  ['select t.n, (select max(v) from u) from t', 'number, string?'],
  ['select t.n, exists (select 1 from u where u.tid = t.id) from t', 'number, number'],
  ['select t.n, t.m in (select tid from u) from t', 'number, number?'],
  ['select t.n in (select tid from u) from t', 'number?'],
  ['select n in (1, 2), m in (1, 2), n not in (1, null) from t', 'number, number?, number?'],
  ['select count(*) from t', 'number'],
  ['select count(m), count(distinct m) from t', 'number, number'],
  ['select sum(n), sum(m), total(m), avg(n) from t', 'number?, number?, number, number?'],
  ['select min(n), max(n), min(m), max(x) from t', 'number?, number?, number?, string?'],
  ['select coalesce(sum(m), 0), ifnull(max(m), 0) from t', 'number, number'],
  ['select group_concat(s), group_concat(x), json_group_array(m) from t', 'string?, string?, string'],
  [
    'select m, count(*), max(n), min(m), sum(n) from t group by m',
    'number?, number, number, number?, number',
  ],
  ['select n, max(x) from t group by n', 'number, string?'],
  [
    'select s, sum(n), sum(m), avg(n), group_concat(s) from t group by s',
    'string, number, number?, number, string',
  ],
  ['select s, max(r), sum(r) from t group by s', 'string, number, number?'],
  ['select m, count(*) from t group by m having count(*) > 1', 'number?, number'],
  ['select m, count(*) from t where m is not null group by m', 'number, number'],
  [
    'select s, count(*) filter (where m > 0), sum(n) filter (where m > 0) from t group by s',
    'string, number, number?',
  ],
  ['select max(n), m from t', 'number?, number?'],
  ['select max(n) from t having max(n) > 0', 'number'],
  ['select distinct m from t', 'number?'],
  ['select distinct s from t', 'string'],
  ['select n from t union select m from t', 'number?'],
  ['select n from t union all select id from t', 'number'],
  ['select n from t union all select null', 'number?'],
  ['select n from t intersect select m from t', 'number'],
  ['select m from t except select n from t', 'number?'],
  ['select s from t union select v from u order by 1', 'string'],
  ['with c as (select n, m from t where m is not null) select n, m from c', 'number, number'],
  ['with c as materialized (select n, m from t) select n, m from c', 'number, number?'],
  [
    'with c as materialized (select n, m from t where m is not null) select c.n, c.m, d.m from c join c d on d.n = c.n',
    'number, number, number',
  ],
  ['with recursive c (i) as (select 1 union all select i + 1 from c where i < 3) select i from c', 'number'],
  [
    'with recursive c (i) as (select 1 union all select nullif(i + 1, 3) from c where i < 3) select i from c',
    'number?',
  ],
  [
    'with recursive c (id, depth) as (select id, 0 from t where id = 1 union all select t.id, depth + 1 from c join t on t.m = c.id where depth < 5) select id, depth from c',
    'number, number?',
  ],
  ['select * from tu', 'number, number, number?, string?, string?'],
  ['select * from tu where id = ?1', 'number, number, number?, string?, string?'],
  ['select n, v from tu where v is not null', 'number, string?'],
  ['select * from tv', 'number, number'],
  [
    'select a.n, b.cnt from t a left join (select tid, count(*) as cnt from u group by tid) b on b.tid = a.id',
    'number, number?',
  ],
  ['select a.n, b.one from t a left join (select 1 as one, tid from u) b on b.tid = a.id', 'number, number?'],
  ['select c.n from (select n from t limit 2) c', 'number'],
  ['select n from (select n from t order by r limit 2) order by n', 'number'],
  [
    'select n + 1, n - m, n * 2, r * 2, r * n, r + q, -n, -m from t',
    'number, number?, number, number, number?, number?, number, number?',
  ],
  [
    'select n / 2, n / 0, n / m, n % 2, m % 2, r / 2, 1 / n from t',
    'number, number?, number?, number, number?, number, number?',
  ],
  ['select n & 1, n | m, ~n, ~m, n << 1 from t', 'number, number?, number, number?, number'],
  ["select s || 'x', s || x, x || m from t", 'string, string?, string?'],
  [
    'select n = 1, m = 1, n is m, m is null, m is not null, not f, not m from t',
    'number, number?, number, number, number, number, number?',
  ],
  ['select n and 1, m or n, n > 0 and r > 0 from t', 'number, number?, number'],
  ['select n between 1 and 2, m between 1 and 2 from t', 'number, number?'],
  [
    "select case when m then 1 else 2 end, case when m then 1 end, case n when 1 then 'a' when 2 then x else 'c' end from t",
    'number, number?, string?',
  ],
  ['select case when m is not null then m else 0 end from t', 'number'],
  [
    'select iif(n > 1, 1, 2), iif(n > 1, m, 2), nullif(n, 1), ifnull(m, x) from t',
    'number, number?, number?, number | string?',
  ],
  ["select coalesce(m, q), coalesce(m, n), coalesce(null, x, 'a') from t", 'number?, number, string'],
  [
    'select cast(n as text), cast(m as text), cast(s as integer), cast(s as real), cast(x as blob) from t',
    'string, string?, number, number, Uint8Array?',
  ],
  [
    "select lower(s), upper(x), length(s), length(x), trim(s), replace(s, 'a', 'b'), replace(s, 'a', x) from t",
    'string, string?, number, number?, string, string, string?',
  ],
  [
    "select substr(s, 1), substr(x, 1, 2), instr(s, 'a'), instr(s, x), hex(x), quote(x), typeof(x) from t",
    'string, string?, number, number?, string, string, string',
  ],
  [
    'select abs(n), abs(m), round(r), round(q), max(n, 2), max(n, m), min(n, r) from t',
    'number, number?, number, number?, number?, number?, number',
  ],
  ["select s like 'a%', x like 'a%', s glob 'a*', s like x from t", 'number, number?, number, number?'],
  [
    "select date('now'), datetime('now'), datetime(d), strftime('%Y', d), unixepoch(), julianday('now') from t",
    'string, string, string?, string?, number, number',
  ],
  [
    'select random(), changes(), last_insert_rowid(), sqlite_version(), char(65)',
    'number, number, number, string, string',
  ],
  [
    "select printf('%d', n), format('%s', x), concat(s, x), unicode(s) from t",
    'string?, string?, string, number?',
  ],
  [
    "select json_object('a', m), json_array(m), json_extract('{}', '$.a'), '{}' ->> 'a', json_valid(s), json_valid(x) from t",
    'string, string, unknown?, unknown?, number, number?',
  ],
  ["select 1, 1.5, 'a', null, x'00', true", 'number, number, string, never?, Uint8Array, number'],
  ["values (1, 'a'), (2, null)", 'number, string?'],
  ['values (1, null, 2.5)', 'number, never?, number'],
  ['select ?1, ?1 + 1, coalesce(?1, 1)', 'unknown?, number?, unknown'],
  ['select id from t where id = ?1', 'number'],
  ['select s from t where n = ?1', 'string'],
  ['select n from t where rowid = 2', 'number'],
  ['select n from t limit 1', 'number'],
  ['select n from t order by r limit 1', 'number'],
  ['select n from t limit ?1 offset ?2', 'number'],
  ['select row_number() over (order by n), n from t', 'number, number'],
  ['select sum(n) over (order by n), count(*) over (), avg(m) over () from t', 'number?, unknown?, unknown?'],
  [
    'select rank() over (order by n), dense_rank() over (order by n), lag(n) over (order by n) from t',
    'number, number, number?',
  ],
  ['select first_value(n) over (order by n), ntile(2) over (order by n) from t', 'number?, number'],
  ['select sum(n) over (order by n rows between 1 preceding and 1 preceding) from t', 'number?'],
  [
    "insert into u (tid, v, w) values (?1, 'a', null) returning id, tid, v, w",
    'number, number, string, never?',
  ],
  ['insert into u (tid, v) select id, s from t returning id, v, w', 'number, string, never?'],
  [
    "insert into t (n, s, r, f) values (100, 'a', 1, 1) on conflict (n) do update set m = 1 returning id, m, n",
    'number, number?, number',
  ],
  ['insert into p (code) values (null) returning code, g', 'never?, never?'],
  ["insert or ignore into t (n, s, r, f) values (1, 'a', 1, 1) returning id", 'number'],
  ["insert into k (a, c) values ('q', 9) returning *", 'string, number, never?'],
  ['update t set m = ?1 where id = ?1 returning id, m, x', 'number, number?, string?'],
  ['update t set m = null returning m, n', 'never?, number'],
  ['update t set x = u.v from u where u.tid = t.id returning t.x, t.id', 'string, number'],
  ['delete from u where id = ?1 returning v, w', 'string, string?'],
  ['delete from u returning id, coalesce(w, v)', 'number, string'],
  ["select value, key from json_each('[1, null]')", 'unknown?, unknown?'],
  ["select t.n, j.value from t, json_each('[1]') j", 'number, unknown?'],
  ['select name from sqlite_schema', 'unknown?'],
  ['select count(*), 1 from t where 0', 'number, number'],
  ['select n from t where 0', 'never'],
  ['select (select 1), (select null), (select n from t where id = 99)', 'number, never?, number?'],
  ['select max(m, n), max(m) from t group by n', 'number?, number?'],
  ['select t.n from t where exists (select 1 from u where u.tid = t.id and u.w is not null)', 'number'],
  ['select u.w from u join t on t.x = u.w', 'string'],
  [
    'select null in (select w from u), s, null in (select w from u where 0) from t',
    'number?, string, number?',
  ],
  ['select u.w, t.x from u left join t on t.x = u.w', 'string?, string?'],
];

describe('D17: on SQLite', () => {
  const scratch = scratchForAll(SCHEMA);
  testNullability(() => scratch.db, ROWS);
});
