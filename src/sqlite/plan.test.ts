import { expect, test } from 'vitest';
import { Planner } from './plan.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import type { PreparedStatement } from './statement-store.ts';

const READ: StatementAnalysis = {
  writes: false,
  changesSchema: false,
  inspectsConnection: false,
  insertsInto: undefined,
  tablesRead: [],
  readsUnnamed: false,
  tablesWritten: [],
};
const statement = { text: 'select 1' } as PreparedStatement;
let schemaChanged = true;
const parts = { prepare: () => undefined, refreshSchema: () => schemaChanged, inlineReads: true };

test('only reads that are the same on every connection may run inline', () => {
  const plans = new Planner(parts);
  expect(plans.add('a', READ, statement).inline).toBe(statement);
  expect(plans.add('b', { ...READ, writes: true }, statement).inline).toBeUndefined();
  expect(plans.add('c', { ...READ, inspectsConnection: true }, statement).inline).toBeUndefined();
});

test('plans are kept up to a limit, the oldest dropped first, and none when the schema changes', () => {
  const plans = new Planner(parts);
  for (let index = 0; index <= 1_000; index += 1) plans.add(`select ${index}`, READ);
  expect(plans.plan('select 0')).toBeUndefined();
  expect(plans.plan('select 1')).toBeDefined();
  schemaChanged = false;
  plans.refresh();
  expect(plans.plan('select 1')).toBeDefined();
  schemaChanged = true;
  plans.refresh();
  expect(plans.plan('select 1')).toBeUndefined();
});
