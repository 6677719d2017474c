import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { Plan, PlanCache } from './plan.ts';

const planOf = (text: string): Plan => new Plan(text, true);

describe('a plan', () => {
  it.each([
    ['select 1', 'read'],
    ['values (1)', 'read'],
    ['table t', 'read'],
    ['with a as (select 1) select * from a', 'read'],
    ['explain analyze delete from t', 'write'],
    ['with gone as (delete from t returning *) select * from gone', 'write'],
    ['insert into t values (1)', 'write'],
    ['merge into t using u on true when matched then delete', 'write'],
    ['create table t (id int)', 'other'],
    ['vacuum', 'other'],
  ])('of %j is a %s', (text, kind) => {
    expect(planOf(text).kind).toBe(kind);
  });

  it.each([
    ['deallocate all', true],
    ['DEALLOCATE PREPARE ALL', true],
    ['discard all', true],
    ['discard temp', false],
    ['deallocate mine', false],
    ['select 1', false],
  ])('of %j: all that was prepared is forgotten: %j', (text, forgetsStatements) => {
    expect(planOf(text).forgetsStatements).toBe(forgetsStatements);
  });

  it.each([
    ['select 1', true],
    ['select * from t for update', false],
    ['select * from t for no key update skip locked', false],
    ["select set_config('a', 'b', false)", false],
    ['select pg_advisory_lock(1)', false],
    ['select pg_advisory_xact_lock(1)', true],
    ['insert into t values (1)', false],
    ['show search_path', true],
  ])('of %j may share a connection: %s', (text, mayShare) => {
    expect(planOf(text).mayShare).toBe(mayShare);
  });

  it.each([
    ['select count(*), lower(name) from t where id in (1, 2)', false],
    ['select my_function(1)', true],
    ["select nextval('s')", true],
    ['update t set a = 1', true],
  ])('of %j may have written when its connection is lost: %s (B1)', (text, mayWrite) => {
    expect(planOf(text).mayWrite).toBe(mayWrite);
  });

  it.each([
    ['select count(*), lower(name) from t where id in (1, 2)', []],
    ['select f (1), s.G(2)', ['f', 'G', 'g']],
    ['select "My f"(1), "a""b"(2)', ['f', 'b', 'My f', 'a"b']],
    ["select f /* ( */ (1), '--', g(2)", ['g', 'f']],
    ['select u&"\\0066"(1)', undefined],
  ])('of %j asks the server about functions: %j', (text, functions) => {
    expect(planOf(text).functions).toEqual(functions);
  });

  it('that calls functions only reads when the server says that none is volatile', () => {
    const plan = planOf('select my_function(1)');
    plan.tables = { tablesRead: [], tablesWritten: [], isComplete: true, callsVolatile: false };
    expect(plan.mayWrite).toBe(false);
    plan.tables = { ...plan.tables, callsVolatile: true };
    expect(plan.mayWrite).toBe(true);
  });

  it('that the server has run where nothing can be written seems to read, and may write another time', () => {
    const plan = planOf('select my_function(1)');
    expect(plan.seemsToWrite).toBe(true);
    plan.hasOnlyRead = true;
    expect([plan.mayWrite, plan.seemsToWrite]).toEqual([true, false]);
  });

  it.each([
    'select * into copy from t',
    'with w as (select 1) select * into copy from w',
    'select 1; update t set a = 1',
    'update t set a = 1; delete from u;',
  ])('of %j takes it for something that may change anything', (text) => {
    expect(planOf(text)).toMatchObject({ kind: 'other', mayWrite: true });
  });

  it.each([
    ["select 'into' as a;", 'read'],
    ['insert into t values (1);', 'write'],
  ])('of %j takes it for a %s', (text, kind) => {
    expect(planOf(text).kind).toBe(kind);
  });

  it('of a read that runs where nothing can be written has written nothing, whatever it calls', () => {
    const plans = new PlanCache(true, true);
    expect(plans.get('select my_function(1)').mayWrite).toBe(false);
    expect(plans.get('update t set a = 1').mayWrite).toBe(true);
  });

  it.each([
    ['set local synchronous_commit = off', true],
    ['SET SESSION\n"synchronous_commit" TO local', true],
    ['alter role app set synchronous_commit = off', true],
    ['select set_config($1, $2, true)', true],
    ["select current_setting('synchronous_commit')", false],
    ['update t set a = 1; show synchronous_commit', false],
  ])('notes that commits may be answered early after %j: %s', (text, mayCommitEarly) => {
    const plans = new PlanCache(true);
    plans.get(text);
    expect(plans.mayCommitEarly).toBe(mayCommitEarly);
  });

  it('asks for a name with the second use, where there may be names', () => {
    const plan = planOf('select 1');
    expect([plan.noteUse(), plan.noteUse()]).toEqual([false, true]);
    const unnamed = new Plan('select 1', false);
    expect([unnamed.noteUse(), unnamed.noteUse()]).toEqual([false, false]);
  });

  it('of COPY is refused: its data go another way', () => {
    expect(() => planOf('copy t from stdin')).toThrow(UsageError);
  });

  it('is kept by its text, a bounded number of them', () => {
    const plans = new PlanCache(true);
    const first = plans.get('select 0');
    expect(plans.get('select 0')).toBe(first);
    for (let index = 1; index <= 2_000; index += 1) plans.get(`select ${index}`);
    expect(plans.get('select 0')).not.toBe(first);
  });
});
