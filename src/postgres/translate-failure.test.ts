import { describe, expect, it } from 'vitest';
import {
  ConnectionError,
  ConstraintError,
  QueryExecutionError,
  ReadOnlyError,
  TransactionError,
} from '../errors/index.ts';
import type { ServerFailure } from './server-error.ts';
import { translateFailure } from './translate-failure.ts';

const SECRET = 'hunter2';

function failure(fields: Partial<ServerFailure>): ServerFailure {
  return {
    severity: 'ERROR',
    code: 'XX000',
    message: 'broken',
    detail: undefined,
    hint: undefined,
    schema: undefined,
    table: undefined,
    column: undefined,
    constraint: undefined,
    routine: undefined,
    ...fields,
  };
}

const STATEMENT = { text: 'insert into users (name) values ($1)', name: undefined, params: [SECRET] };

it('says where several statements go', () => {
  const routine = 'exec_parse_message';
  const several = translateFailure(failure({ code: '42601', routine }), STATEMENT);
  expect(several.message).toContain('Several statements go with db.script(…)');
  expect(translateFailure(failure({ code: '25P02', routine }), STATEMENT).message).not.toContain('db.script');
});

describe('an error of the server', () => {
  it('is a constraint that was broken, with the columns that the detail names before the values', () => {
    const error = translateFailure(
      failure({
        code: '23505',
        message: 'duplicate key value violates unique constraint "users_name"',
        detail: `Key (tenant, name)=(1, ${SECRET}) already exists.`,
        table: 'users',
        constraint: 'users_name',
      }),
      STATEMENT,
    ) as ConstraintError;
    expect(error).toBeInstanceOf(ConstraintError);
    expect([error.kind, error.table, error.columns]).toEqual(['unique', 'users', ['tenant', 'name']]);
    expect(JSON.stringify([error, error.cause, error.message])).not.toContain(SECRET);
  });

  it.each([
    ['25006', ReadOnlyError, false],
    ['25P02', TransactionError, false],
    ['40001', QueryExecutionError, true],
    ['40P01', QueryExecutionError, true],
    ['55P03', QueryExecutionError, true],
    ['53100', QueryExecutionError, true],
    ['42601', QueryExecutionError, false],
  ])('%s is a %o, worth another try: %s', (code, type, retryable) => {
    const error = translateFailure(failure({ code }), STATEMENT);
    expect(error).toBeInstanceOf(type);
    expect(error.retryable).toBe(retryable);
  });

  it('that ends the connection is a lost connection', () => {
    const error = translateFailure(failure({ severity: 'FATAL', code: '57P01' }), STATEMENT);
    expect(error).toBeInstanceOf(ConnectionError);
  });

  it.each([
    [[SECRET], `invalid input syntax for type integer: "${SECRET}"`],
    [[['x', SECRET]], `invalid input syntax for type integer: "${SECRET}"`],
    [[{ a: SECRET }], `invalid reference "${SECRET}"`],
    [[`${SECRET}@example.com`], `time zone "${SECRET}" not recognized`],
    [[987_654_321], 'value "987654321" is out of range for type smallint'],
  ])('repeats no bound value (B18): %o', (params, message) => {
    const error = translateFailure(failure({ message }), { ...STATEMENT, params });
    expect(error.message + String((error.cause as Error).stack)).not.toMatch(/hunter2|987654321/);
  });
});
