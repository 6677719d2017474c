import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresServer } from '../src/arena/postgres-server.ts';
import { checkQueries } from '../src/millpond/queries.ts';
import { queriesModule } from '../src/schema/queries-module.ts';
import { ACTION_TEXTS, readSqlTexts } from '../src/plain/sql-texts.ts';

const folder = mkdtempSync(join(tmpdir(), 'hub-queries-'));
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await PostgresServer.start(join(folder, 'postgres'), new AbortController().signal);
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("the hub's queries", () => {
  it('are, in src/queries.ts, what the SQL and the schemas of both engines say', async () => {
    const { queries, changed } = await checkQueries(queriesModule(postgres.urlOf('postgres')));
    expect(changed).toBe(false);
    expect(queries).toContain('cities.cityById');
  });

  it('are read from the same files by those who go without millpond', () => {
    for (const dialect of ['sqlite', 'postgres'] as const) {
      const textOf = readSqlTexts(dialect);
      expect(textOf('city_by_id')).toMatch(/^select id, name,[^;]*where id = :id$/v);
      for (const name of Object.values(ACTION_TEXTS).flat()) expect(textOf(name)).not.toContain(';');
      expect(() => textOf('no_such_query')).toThrow('no_such_query');
    }
    expect(readSqlTexts('sqlite')('search_cities')).toContain(' match ');
    expect(readSqlTexts('postgres')('search_cities')).toContain(' @@ ');
  });
});
