import { describe, expect, test } from 'vitest';
import { cpuMsOf } from '../../test/fixtures/cpu-time.ts';
import { adviseOnPlan } from './plan-advice.ts';

const onSqlite = (statement: string, ...lines: string[]) => adviseOnPlan(lines, statement, 'sqlite');
const onPostgres = (...lines: string[]) => adviseOnPlan(lines, '', 'postgres');

describe('advice on a plan of SQLite (D16)', () => {
  test('names the index that a full scan with a condition lacks', () => {
    const statement = 'select * from notes as n where n.city_id = ? and n.kind in (?) and size > ?';
    expect(onSqlite(statement, 'SCAN n')).toEqual([
      {
        severity: 'warning',
        message: 'Reads every row of notes. It looks for city_id and kind and size.',
        index: 'create index on_notes_city_id_kind_size on notes (city_id, kind, size)',
      },
    ]);
  });

  test('names the index that SQLite builds again and again', () => {
    const statement = 'select * from posts join authors a on a.email = posts.email';
    const [advice] = onSqlite(statement, 'SEARCH a USING AUTOMATIC COVERING INDEX (email=?)');
    expect(advice).toMatchObject({
      severity: 'warning',
      index: 'create index on_authors_email on authors (email)',
    });
  });

  test.each([
    ['SEARCH notes USING INTEGER PRIMARY KEY (rowid=?)', undefined],
    ['SCAN CONSTANT ROW', undefined],
    ['SCAN 3-ROW VALUES CLAUSE', undefined],
    ['SCAN (subquery-1)', undefined],
    ['LIST SUBQUERY 1', undefined],
    ['SCAN notes', 'Reads every row of notes.'],
    ['SCAN notes USING COVERING INDEX by_city', 'Reads every row of notes, through covering index by_city.'],
    ['SCAN json_each VIRTUAL TABLE INDEX 1:', 'Reads all of json_each.'],
    ['USE TEMP B-TREE FOR ORDER BY', 'Sorts or groups without an index: order by.'],
  ])('says of %s: %s', (line, message) => {
    expect(onSqlite('select * from notes', line)[0]?.message).toBe(message);
  });

  test('says the same once', () => {
    expect(onSqlite('select 1', 'SCAN a', 'SCAN a')).toHaveLength(1);
  });
});

describe('advice on a plan of PostgreSQL', () => {
  test('names the column that a sequential scan filters by', () => {
    const lines = [
      'Seq Scan on notes  (cost=0.00..100.00 rows=1 width=1)',
      "  Filter: ((city_id = $1) AND (kind = 'a'))",
    ];
    expect(onPostgres(...lines)).toEqual([
      {
        severity: 'warning',
        message: 'Reads every row of notes. It looks for city_id and kind.',
        index: 'create index concurrently on notes (city_id, kind)',
      },
    ]);
  });

  test('names a column that is compared as another type', () => {
    const lines = ['Seq Scan on notes  (cost=0.00..99.1 rows=1 width=1)', '  Filter: ((title)::text = ?)'];
    expect(onPostgres(...lines)).toMatchObject([{ index: 'create index concurrently on notes (title)' }]);
  });

  test('asks for no index where the table is read whole because it is small', () => {
    const lines = ['Seq Scan on jobs  (cost=0.00..1.69 rows=1 width=22)', '  Filter: (id = ?)'];
    expect(onPostgres(...lines)).toEqual([
      { severity: 'hint', message: 'Reads every row of jobs, which are few.' },
    ]);
  });

  test('hints at scans without a condition, and at sorts', () => {
    const messages = onPostgres('Sort  (cost=1)', '  ->  Seq Scan on notes', 'Index Scan using a on b');
    expect(messages.map(({ message }) => message)).toEqual([
      'Sorts without an index.',
      'Reads every row of notes.',
    ]);
  });
});

test('advice is given in linear time (C72)', () => {
  for (const part of ['a = ', '(', 'from a ', ' where ', 'a.', 'SCAN ', 'Filter: (', '\t']) {
    const hostile = part.repeat(100_000 / part.length);
    for (const dialect of ['sqlite', 'postgres'] as const) {
      const plan = [hostile, `SCAN ${hostile}`, 'Seq Scan on a', `  Filter: ${hostile}`];
      const tookMs = cpuMsOf(() => adviseOnPlan(plan, hostile.slice(0, 2_000), dialect));
      expect(tookMs, part).toBeLessThan(500);
    }
  }
});
