import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explainStatement, Metrics } from '../../../src/metrics/index.ts';
import { expectAtRest, scratchForAll } from '../../fixtures/scratch-database.ts';

const SCHEMA = `
  create table cities (id integer primary key, name text);
  create table notes (id integer primary key, city_id integer, title text);
  create index notes_by_title on notes (title);`;

const scratch = scratchForAll(SCHEMA);
let metrics: Metrics;
beforeEach(() => {
  metrics = new Metrics();
  metrics.watch(scratch.db);
});
afterEach(async () => {
  metrics.close();
  await expectAtRest(scratch.db);
});

describe('the plan of a statement, on request (D16)', () => {
  test('names the missing index, for the text that was sent', async () => {
    await scratch.db.all('select * from notes where city_id = :city', { city: 7 });
    const { id } = metrics.snapshot().databases[0]!.statements[0]!;
    const plan = await explainStatement(scratch.db, metrics.sampleOf(scratch.db.name, id)!);
    expect(plan.lines).toEqual(['SCAN notes']);
    expect(plan.advice).toMatchObject([{ index: 'create index on_notes_city_id on notes (city_id)' }]);
  });

  test('has nothing to say where an index is used', async () => {
    const plan = await explainStatement(scratch.db, 'select * from notes where title = ?1');
    expect(plan.lines[0]).toContain('USING INDEX notes_by_title');
    expect(plan.advice).toEqual([]);
  });

  test('of a join shows its steps, indented', async () => {
    const text = 'select * from cities where id in (select city_id from notes where id > ?)';
    const plan = await explainStatement(scratch.db, text);
    expect(plan.lines.some((line) => line.startsWith('  '))).toBe(true);
  });

  test('of a write is made without writing', async () => {
    const plan = await explainStatement(scratch.db, "update notes set title = 'x' where city_id = ?");
    expect(plan.lines).toEqual(['SCAN notes']);
    await explainStatement(scratch.db, "insert into cities values (1, 'A')");
    expect(await scratch.db.value('select count(*) from cities')).toBe(0);
  });

  test('of a statement that does not fit the schema rejects', async () => {
    await expect(explainStatement(scratch.db, 'select * from gone')).rejects.toThrow('no such table: gone');
  });
});
