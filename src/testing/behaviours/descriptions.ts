import assert from 'node:assert/strict';
import { QueryExecutionError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { thrownBy } from './expectations.ts';

export const DESCRIPTION_BEHAVIOURS: Behaviours = {
  'says what a statement reads and gives, and runs nothing (X4)': async ({ db }) => {
    const text =
      'select t.id, t.name as label, count(*) as parts from things t join parts p on p.thing_id = t.id';
    const { writes, tablesRead, tablesWritten, columns } = await db.describe(
      `${text} where t.size > :least group by t.id, t.name`,
    );
    assert.deepEqual([writes, tablesRead.toSorted(), tablesWritten], [false, ['parts', 'things'], []]);
    assert.deepEqual(
      columns.map(({ name, table, column }) => [name, table, column]),
      [
        ['id', 'things', 'id'],
        ['label', 'things', 'name'],
        ['parts', undefined, undefined],
      ],
    );
  },

  'says what a statement writes (X4)': async ({ db }) => {
    const described = await db.describe('insert into things (name, size) values (:name, :size) returning id');
    assert.deepEqual([described.writes, described.tablesWritten], [true, ['things']]);
    assert.deepEqual(
      described.columns.map(({ name }) => name),
      ['id'],
    );
    assert.equal(await db.value('select count(*) from things'), 0);
  },

  'names the parameters, each once': async ({ db }) => {
    const text = 'select * from things where name = :name or note = :name or size = :size';
    const { parameters } = await db.describe(text);
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ['name', 'size'],
    );
  },

  'of what cannot be prepared is an error': async ({ db }) => {
    const error = await thrownBy(db.describe('select missing from nowhere'));
    assert.ok(error instanceof QueryExecutionError);
  },
};
