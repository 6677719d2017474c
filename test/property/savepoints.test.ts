import { describe, expect, test } from 'vitest';
import type { Database, Transaction } from '../../src/index.ts';
import { expectAtRest, openScratch, rejection } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

/*
 * Random trees of transactions inside transactions, with failures at every level, on a real file, against a map that is
 * copied where a savepoint would be set. More: TEST_SCALE=100 vitest run test/property/savepoints
 */

type How = 'handle' | 'ambient' | 'by hand';

interface Level {
  readonly name: string | undefined;
  readonly steps: readonly Step[];
  /** Whether it fails when its steps are done. */
  readonly fails: boolean;
}

type Step =
  | { readonly kind: 'set'; readonly key: number; readonly value: string }
  /** A statement that breaks a constraint, its error swallowed: nothing but that statement is undone. */
  | { readonly kind: 'break'; readonly key: number }
  | { readonly kind: 'batch'; readonly keys: readonly number[]; readonly breaks: boolean }
  | { readonly kind: 'inner'; readonly how: How; readonly level: Level };

/** A name is for messages and events; it must never come near the text of a SAVEPOINT. */
const name = fc.option(
  fc.constantFrom('a"; drop table entry; --', "it's", '\0', '`', '[x]', 'millpond_sp_1', ''),
  {
    nil: undefined,
  },
);
const key = fc.integer({ min: 1, max: 5 });

const { level } = fc.letrec<{ level: Level; step: Step }>((tie) => ({
  level: fc.record({
    name,
    steps: fc.array(tie('step'), { maxLength: 5, depthIdentifier: 'tree' }),
    fails: fc.nat(3).map((n) => n === 0),
  }),
  step: fc.oneof(
    { depthIdentifier: 'tree', maxDepth: 6 },
    fc.record({
      kind: fc.constant('set' as const),
      key,
      value: fc.string({ maxLength: 3, unit: 'grapheme' }),
    }),
    fc.record({ kind: fc.constant('break' as const), key }),
    fc.record({
      kind: fc.constant('batch' as const),
      keys: fc.array(key, { maxLength: 3 }),
      breaks: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('inner' as const),
      how: fc.constantFrom<How>('handle', 'ambient', 'by hand'),
      level: tie('level'),
    }),
  ),
}));

class Expected extends Error {}

const SCHEMA = 'create table entry (key int primary key, value text not null, check (value <> char(7)))';
const SET = 'insert into entry values (?, ?) on conflict (key) do update set value = excluded.value';

function keptBy(data: Map<number, string>, given: Level): Map<number, string> {
  const inner = new Map(data);
  let result = inner;
  for (const step of given.steps) result = applyStep(result, step);
  return given.fails ? data : result;
}

function applyStep(data: Map<number, string>, step: Step): Map<number, string> {
  const next = new Map(data);
  if (step.kind === 'set') return next.set(step.key, step.value);
  if (step.kind === 'break' || (step.kind === 'batch' && step.breaks)) return data;
  if (step.kind === 'inner') return keptBy(data, step.level);
  for (const one of step.keys) next.set(one, 'batch');
  return next;
}

async function run(db: Database, tx: Transaction, given: Level): Promise<void> {
  for (const step of given.steps) await runStep(db, tx, step);
  if (given.fails) throw new Expected();
}

async function runStep(db: Database, tx: Transaction, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'set':
      return tx.run(SET, [step.key, step.value]);
    case 'break':
      return rejection(tx.run(SET, [step.key, '\u0007']));
    case 'batch': {
      const items = step.keys.map((one) => [SET, [one, 'batch']] as const);
      return step.breaks ? rejection(tx.batch([...items, [SET, [1, null]]])) : tx.batch(items);
    }
    case 'inner':
      return runInner(db, tx, step);
  }
}

async function runInner(
  db: Database,
  tx: Transaction,
  { how, level: inner }: Step & { kind: 'inner' },
): Promise<void> {
  const options = { name: inner.name };
  try {
    if (how === 'handle') await tx.transaction((nested) => run(db, nested, inner), options);
    else if (how === 'ambient') {
      await db.transaction((nested) => run(db, nested, inner), { ...options, propagation: 'nested' });
    } else {
      await using nested = await tx.begin(options);
      await run(db, nested, inner);
      await nested.commit();
    }
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
  }
}

/** Ambient savepoints need the ambient level to be the innermost one: below one begun by hand it is not. */
function withoutAmbientBelowHands(given: Level, belowHands = false): Level {
  const steps = given.steps.map((step): Step => {
    if (step.kind !== 'inner') return step;
    const how = belowHands && step.how === 'ambient' ? 'handle' : step.how;
    return { ...step, how, level: withoutAmbientBelowHands(step.level, belowHands || how === 'by hand') };
  });
  return { ...given, steps };
}

describe('transactions inside transactions', () => {
  test(
    'keep what each level kept, and nothing else (C31)',
    async () => {
      const { db } = await openScratch(SCHEMA);
      const equalsModel = fc.asyncProperty(
        level.map((one) => withoutAmbientBelowHands(one)),
        async (tree) => {
          await db.run('delete from entry');
          const work = db.transaction((tx) => run(db, tx, tree), { name: tree.name });
          await work.catch((error: unknown) => {
            if (!(error instanceof Expected)) throw error;
          });
          const rows = await db.all<{ key: number; value: string }>('select * from entry');
          expect(new Map(rows.map((row) => [row.key, row.value]))).toEqual(keptBy(new Map(), tree));
        },
      );
      await fc.assert(equalsModel, { numRuns: scaled(150) });
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );

  test('may be a thousand deep, and only the one that fails is undone (C31)', async () => {
    const DEPTH = 1_000;
    const { db } = await openScratch(SCHEMA);
    const descend = async (tx: Transaction, depth: number): Promise<void> => {
      await tx.run(SET, [depth, 'kept']);
      if (depth === DEPTH) throw new Expected();
      const isLast = depth === DEPTH - 1;
      const inner = tx.transaction((nested) => descend(nested, depth + 1));
      if (isLast) await rejection(inner);
      else await inner;
    };
    await db.transaction((tx) => descend(tx, 1));
    expect(await db.value('select count(*) from entry')).toBe(DEPTH - 1);
    await expectAtRest(db);
  });
});
