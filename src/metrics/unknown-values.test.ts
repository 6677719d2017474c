import { describe, expect, test } from 'vitest';
import { withoutSubqueries, withUnknownValues } from './unknown-values.ts';

describe('a statement with values that are not known', () => {
  test.each([
    [
      'select $1, $2',
      'select cast((select cast(null as integer)) as integer), cast((select cast(null as text[])) as text[])',
    ],
    [
      'where a = :a and b = any(:b)',
      'where a = cast((select cast(null as integer)) as integer) ' +
        'and b = any(cast((select cast(null as text[])) as text[]))',
    ],
    ["select '$1', e'\\'$1', \"$1\", $$ $1 $$, $a$ $1 $a$", undefined],
    ['select 1 -- $1\n/* $2 /* $1 */ $1 */ + a$1 - 1 / 2', undefined],
    ['select $3', undefined],
  ])('%j', (text, expected) => {
    expect(withUnknownValues(text, ['integer', 'text[]'])).toBe(expected ?? text);
  });
});

describe('a plan with such values', () => {
  test('of PostgreSQL 15 has none of their subqueries, and keeps the statement’s own', () => {
    const lines = [
      'Limit  (cost=0.17..8.21 rows=1 width=8)',
      '  InitPlan 1 (returns $0)',
      '    ->  Result  (cost=0.00..0.01 rows=1 width=32)',
      '  InitPlan 2 (returns $1)',
      '    ->  Seq Scan on cities  (cost=0.00..1.01 rows=1 width=4)',
      '  ->  Seq Scan on notes  (cost=0.14..8.18 rows=1 width=8)',
      '        Filter: ((a = $0) AND (b = $1) AND (c = $01))',
    ];
    expect(withoutSubqueries(lines)).toEqual([
      lines[0],
      lines[3],
      lines[4],
      lines[5],
      '        Filter: ((a = ?) AND (b = $1) AND (c = $01))',
    ]);
  });

  test('of PostgreSQL 18 likewise', () => {
    const lines = [
      'Seq Scan on notes  (cost=0.01..1.02 rows=1 width=8)',
      '  Filter: (a = (InitPlan 1).col1)',
      '  InitPlan 1',
      '    ->  Result  (cost=0.00..0.01 rows=1 width=4)',
    ];
    expect(withoutSubqueries(lines)).toEqual([lines[0], '  Filter: (a = ?)']);
  });

  test('that is nothing but a result stays', () => {
    const lines = ['Result  (cost=0.00..0.01 rows=1 width=4)'];
    expect(withoutSubqueries(lines)).toEqual(lines);
  });
});
