import { afterEach, describe, expect, test } from 'vitest';
import { refusalOf } from '../../test/fixtures/refusal-of.ts';
import type { Database } from './database.ts';
import { getDb, registerDatabase, releaseName, reserveName } from './registry.ts';

const database = { name: 'a' } as Database;
afterEach(() => {
  for (const name of ['main', 'a', 'b']) releaseName(name);
});

describe('getDb', () => {
  test('gives the open database of that name, main by default (J2)', () => {
    for (const name of ['main', 'a']) {
      reserveName(name);
      registerDatabase(name, database);
    }
    expect([getDb(), getDb('a')]).toEqual([database, database]);
  });

  test('lists what is open where the name is not', () => {
    expect(refusalOf(() => getDb())).toBe('The database "main" is not open. No database is open.');
    for (const name of ['a', 'b']) {
      reserveName(name);
      registerDatabase(name, database);
    }
    expect(refusalOf(() => getDb('c'))).toBe('The database "c" is not open. Open: "a", "b".');
  });

  test('says that a database is on its way', () => {
    reserveName('a');
    expect(refusalOf(() => getDb('a'))).toContain('is still being opened: await openDatabase() first');
    expect(refusalOf(() => getDb('b'))).toContain('No database is open');
  });
});

test('a name is taken once, from the moment that opening begins until it is released', () => {
  reserveName('a');
  expect(refusalOf(() => reserveName('a'))).toContain('A database named "a" is open already');
  registerDatabase('a', database);
  expect(refusalOf(() => reserveName('a'))).toContain("{ name: 'other' }");
  releaseName('a');
  expect(() => reserveName('a')).not.toThrow();
});
