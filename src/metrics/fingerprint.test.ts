import { describe, expect, test } from 'vitest';
import { cpuMsOf } from '../../test/fixtures/cpu-time.ts';
import { fingerprintOf } from './fingerprint.ts';

const of = (sql: string) => fingerprintOf(sql, 'sqlite').text;
const ofPostgres = (sql: string) => fingerprintOf(sql, 'postgres').text;

describe('the shape of a statement', () => {
  test.each([
    ['select * from t where id = 1', 'select * from t where id = ?'],
    ['SELECT *\n  FROM t -- all\n WHERE id=?1', 'select * from t where id = ?'],
    ['select * from t where id = :id', 'select * from t where id = ?'],
    ["select * from t where name = 'it''s'", 'select * from t where name = ?'],
    ['select * from t where id in (1, 2, 3)', 'select * from t where id in (?)'],
    ['insert into t(a, b) values (?, ?), (?, ?), (?, ?)', 'insert into t(a, b) values (?)'],
    ['select count( * ) from "T" where a.b >= 1.5e-3', 'select count(*) from "T" where a.b >= ?'],
    ["select x'00ff', 0xff, .5, 1_000, 12.", 'select ?'],
    ['select /* 1 */ a from [my table] limit 10;', 'select a from [my table] limit ?'],
    ["select a->>'$.b', c - -1 from t", 'select a ->> ?, c - - ? from t'],
    [
      'select a from t where b = $name and c = @c and d = :d',
      'select a from t where b = ? and c = ? and d = ?',
    ],
  ])('%s', (sql, shape) => {
    expect(of(sql)).toBe(shape);
  });

  test.each([
    ['select $1::int, $tag$ secret $tag$', 'select ?::int, ?'],
    ["select E'it\\'s' || b'01'", 'select ? || ?'],
    ['select /* a /* nested */ b */ 1', 'select ?'],
    ['select a[1] from t', 'select a[?] from t'],
  ])('in PostgreSQL: %s', (sql, shape) => {
    expect(ofPostgres(sql)).toBe(shape);
  });

  test('has an id that is the same for the same shape, and another for another', () => {
    const id = (sql: string) => fingerprintOf(sql, 'sqlite').id;
    expect(id('select 1 from a')).toBe(id("SELECT  'x' FROM a"));
    expect(id('select 1 from a')).not.toBe(id('select 1 from b'));
    expect(id('select 1')).toMatch(/^[0-9a-f]{12}$/);
  });

  test('holds no literal, whatever the text is cut off in (B18)', () => {
    const canary = 'hunter2';
    const texts = [
      `select '${canary}`,
      `select '${canary}' from`,
      `select 1 -- ${canary}`,
      `select 1 /* ${canary}`,
      `select x'${canary}`,
      `select $$${canary}$$`,
    ];
    for (const text of texts) expect(ofPostgres(text)).not.toContain(canary);
  });

  test('is made in linear time, and cut (C72)', () => {
    const hostile = ['(', "'", '/*', '--', '?,', '(?),', '1e', '1.', '$a', '"', '[', ':a', ' '];
    for (const dialect of ['sqlite', 'postgres'] as const) {
      for (const part of hostile) {
        let text = '';
        const tookMs = cpuMsOf(() => ({ text } = fingerprintOf(part.repeat(100_000 / part.length), dialect)));
        expect(text.length).toBeLessThanOrEqual(2_001);
        expect(tookMs, part).toBeLessThan(500);
      }
    }
  });
});
