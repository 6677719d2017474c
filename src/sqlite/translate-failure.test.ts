import { describe, expect, test } from 'vitest';
import {
  ConnectionError,
  ConstraintError,
  OutcomeUnknownError,
  QueryExecutionError,
  ReadOnlyError,
  TransactionClosedError,
  UsageError,
} from '../errors/index.ts';
import { toFailure } from './failure.ts';
import { FailureCode } from './protocol.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';

const STATEMENT = { text: 'insert into users values (?)', name: 'add user' };

describe('a failed constraint', () => {
  test.each([
    [2067, 'UNIQUE constraint failed: users.email', 'unique', 'users', ['email']],
    [2067, 'UNIQUE constraint failed: users.email, users.tenant', 'unique', 'users', ['email', 'tenant']],
    [1555, 'UNIQUE constraint failed: users.id', 'unique', 'users', ['id']],
    [2579, 'UNIQUE constraint failed: users.rowid', 'unique', 'users', ['rowid']],
    [1299, 'NOT NULL constraint failed: users.email', 'not-null', 'users', ['email']],
    [787, 'FOREIGN KEY constraint failed', 'foreign-key', undefined, []],
    [275, 'CHECK constraint failed: age > 0', 'check', undefined, []],
    [1811, 'FOREIGN KEY constraint failed', 'foreign-key', undefined, []],
    [3091, 'cannot store TEXT value in INTEGER column users.age', 'check', undefined, []],
  ])('%i: %s', (code, message, kind, table, columns) => {
    const error = translateFailure({ code, message }, STATEMENT);
    expect(error).toBeInstanceOf(ConstraintError);
    expect(error).toMatchObject({ kind, table, columns, sql: STATEMENT.text, queryName: 'add user' });
    expect(error.message).toBe(`Query "add user": ${message}`);
    expect(error.cause).toMatchObject({ errcode: code, message });
  });

  test('by a text of the schema itself is no constraint of a kind', () => {
    const error = translateFailure({ code: 1811, message: 'no more than five' }, STATEMENT);
    expect(error.name).toBe('QueryExecutionError');
  });
});

describe('a code of SQLite', () => {
  test.each([
    [5, QueryExecutionError, 'ERR_MILLPOND_BUSY', true],
    [517, QueryExecutionError, 'ERR_MILLPOND_BUSY', true],
    [6, QueryExecutionError, 'ERR_MILLPOND_BUSY', true],
    [8, ReadOnlyError, 'ERR_MILLPOND_READ_ONLY', false],
    [776, ReadOnlyError, 'ERR_MILLPOND_READ_ONLY', false],
    [13, QueryExecutionError, 'ERR_MILLPOND_FULL', true],
    [11, QueryExecutionError, 'ERR_MILLPOND_CORRUPT', false],
    [26, QueryExecutionError, 'ERR_MILLPOND_CORRUPT', false],
    [10, QueryExecutionError, 'ERR_MILLPOND_IO', false],
    [778, QueryExecutionError, 'ERR_MILLPOND_IO', false],
    [1, QueryExecutionError, 'ERR_MILLPOND_QUERY', false],
  ])('%i', (errcode, kind, code, retryable) => {
    const failure = toFailure(Object.assign(new Error('as SQLite says'), { errcode }));
    const error = translateFailure(failure, { text: 'select 1', name: undefined });
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code, retryable, sql: 'select 1', queryName: undefined });
    expect(error.cause).toMatchObject({ errcode });
  });
});

describe('a failure of our own', () => {
  test.each([
    [FailureCode.transactionEnded, TransactionClosedError, 'ERR_MILLPOND_TRANSACTION_CLOSED'],
    [FailureCode.usage, UsageError, 'ERR_MILLPOND_USAGE'],
    [FailureCode.duplicateColumn, UsageError, 'ERR_MILLPOND_DUPLICATE_COLUMN'],
    [FailureCode.outcomeUnknown, OutcomeUnknownError, 'ERR_MILLPOND_OUTCOME_UNKNOWN'],
    [FailureCode.diskFailed, OutcomeUnknownError, 'ERR_MILLPOND_OUTCOME_UNKNOWN'],
    [FailureCode.connectionDoubtful, ConnectionError, 'ERR_MILLPOND_CONNECTION'],
    [FailureCode.internal, QueryExecutionError, 'ERR_MILLPOND_QUERY'],
  ])('%i', (failureCode, kind, code) => {
    const error = translateFailure({ code: failureCode, message: 'what happened' }, STATEMENT);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code });
  });

  test('of usage keeps its code on the way between threads', () => {
    const duplicate = new UsageError('twice', { code: 'ERR_MILLPOND_DUPLICATE_COLUMN' });
    expect(translateFailure(toFailure(duplicate))).toMatchObject({ message: 'twice', code: duplicate.code });
    expect(translateFailure(toFailure(new UsageError('once')))).toMatchObject({ code: 'ERR_MILLPOND_USAGE' });
  });

  test('that is not one of ours keeps its message and its code', () => {
    const failure = toFailure(
      Object.assign(new Error('out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }),
    );
    expect(failure).toEqual({
      code: FailureCode.internal,
      message: 'ERR_WORKER_OUT_OF_MEMORY: out of memory',
    });
  });

  test('of a lost connection may be tried again', () => {
    expect(connectionLostError(new Error('gone'))).toMatchObject({
      retryable: true,
      code: 'ERR_MILLPOND_CONNECTION',
    });
  });
});
