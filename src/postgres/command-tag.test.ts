import { expect, it } from 'vitest';
import { readCommandTag } from './command-tag.ts';

it.each([
  ['INSERT 0 3', 'INSERT', 3],
  ['INSERT 0 1', 'INSERT', 1],
  ['UPDATE 12', 'UPDATE', 12],
  ['DELETE 0', 'DELETE', 0],
  ['MERGE 4', 'MERGE', 4],
  ['COPY 7', 'COPY', 7],
  ['SELECT 5', 'SELECT', 0],
  ['CREATE TABLE', 'CREATE TABLE', 0],
  ['SELECT 1', 'SELECT', 0],
  ['SELEKT 1', 'SELEKT', 0],
  ['', '', 0],
  ['ROLLBACK', 'ROLLBACK', 0],
])('%s is a %s of %d rows', (text, command, rowsAffected) => {
  const bytes = Buffer.from(`x${text}\0`);
  expect(readCommandTag(bytes, 1, bytes.length - 1)).toEqual({ command, rowsAffected });
});
