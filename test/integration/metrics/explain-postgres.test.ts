import { describe, expect, test } from 'vitest';
import { explainStatement } from '../../../src/metrics/index.ts';
import { postgresScratch } from '../../fixtures/postgres-database.ts';

const scratch = postgresScratch(`
  create table notes (id integer primary key, city_id integer, title varchar(100), at timestamptz);
  insert into notes select n, n % 100, 'note ' || n, now() from generate_series(1, 5000) as n;
  analyze notes;`);

/** Without what the server reckons it costs. */
const planOf = async (text: string) => {
  const { lines, advice } = await explainStatement(scratch.db, text);
  return { lines: lines.map((line) => line.replace(/ {2}\(cost=.*$/, '')), advice };
};

describe('the plan of a statement on PostgreSQL, on request (D16)', () => {
  test('is made for any value, and names the missing index', async () => {
    const { lines, advice } = await planOf('select * from notes where city_id = $1');
    expect(lines).toEqual(['Seq Scan on notes', '  Filter: (city_id = ?)']);
    expect(advice).toMatchObject([{ index: 'create index concurrently on notes (city_id)' }]);
  });

  test('names a column that is compared as another type', async () => {
    const { lines, advice } = await planOf('select * from notes where title = :title');
    expect(lines).toEqual(['Seq Scan on notes', '  Filter: ((title)::text = ?)']);
    expect(advice).toMatchObject([{ index: 'create index concurrently on notes (title)' }]);
  });

  test('uses the indexes that are there, with lists, limits and other types', async () => {
    const { lines, advice } = await planOf(
      'select * from notes where id = any(:ids) and at < :at order by id limit :limit offset :offset',
    );
    expect(lines.join('\n')).toMatch(/Index Scan using notes_pkey[^]*Index Cond: \(id = ANY \(\(?\?/);
    expect(lines.join('\n')).not.toContain('InitPlan');
    expect(advice).toEqual([]);
  });

  test('of a write is made without writing', async () => {
    await planOf('insert into notes (id, title) values (:id, :title)');
    await planOf('delete from notes where id > $1');
    expect(await scratch.db.value<number>('select count(*)::int from notes')).toBe(5_000);
  });

  test('of a statement that does not fit the schema rejects', async () => {
    await expect(explainStatement(scratch.db, 'select * from gone where id = $1')).rejects.toThrow('gone');
  });
});
