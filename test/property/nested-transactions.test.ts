import { expect, test } from 'vitest';
import type { Transaction } from '../../src/transaction/index.ts';
import { scaled } from '../fixtures/scale.ts';
import { settled, TransactionBench } from '../fixtures/transaction-bench.ts';
import { fc } from '../fixtures/property.ts';

const RUNS = scaled(300);
const KEYS = ['a', 'b', 'c', '__proto__'];

/** What one transaction, or savepoint, does: steps one after another, then it may fail. */
interface Level {
  readonly steps: readonly Step[];
  readonly fails: boolean;
}

type Step =
  | { readonly kind: 'set'; readonly key: string; readonly value: string }
  /** A statement that fails, its error swallowed. */
  | { readonly kind: 'fail' }
  /** `how`: on the handle, ambient, joined, or with a handle of its own; `swallow`: whether its error stops the level. */
  | { readonly kind: 'inner'; readonly how: How; readonly level: Level; readonly swallow: boolean }
  /** Savepoints at the same time, which have to take turns. */
  | { readonly kind: 'all'; readonly levels: readonly Level[] };

type How = 'handle' | 'ambient' | 'join' | 'manual';

const { level } = fc.letrec<{ level: Level; step: Step }>((tie) => ({
  level: fc.record({
    steps: fc.array(tie('step'), { maxLength: 4, depthIdentifier: 'tree' }),
    fails: fc.nat(3).map((n) => n === 0),
  }),
  step: fc.oneof(
    { depthIdentifier: 'tree', maxDepth: 5 },
    fc.record({
      kind: fc.constant('set' as const),
      key: fc.constantFrom(...KEYS),
      value: fc.stringMatching(/^\w{1,3}$/),
    }),
    fc.constant({ kind: 'fail' as const }),
    fc.record({
      kind: fc.constant('inner' as const),
      how: fc.constantFrom<How>('handle', 'ambient', 'join', 'manual'),
      level: tie('level'),
      swallow: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('all' as const),
      levels: fc.array(tie('level'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));

class Failure extends Error {}

/** The model: a map that is copied where a savepoint would be set. */
class Model {
  data = new Map<string, string>();
  /** Set when a joined part failed: what is around it can only be undone. */
  #isDoomed = false;

  /** @returns whether the level lasted. */
  run({ steps, fails }: Level): boolean {
    const before = new Map(this.data);
    const outerDoom = this.#isDoomed;
    this.#isDoomed = false;
    const isKept = this.#steps(steps) && !fails && !this.#isDoomed;
    if (!isKept) this.data = before;
    this.#isDoomed = outerDoom;
    return isKept;
  }

  #steps(steps: readonly Step[]): boolean {
    return steps.every((step) => {
      if (step.kind === 'set') this.data.set(step.key, step.value);
      if (step.kind === 'all') for (const inner of step.levels) this.run(inner);
      return step.kind !== 'inner' || this.#inner(step);
    });
  }

  #inner({ how, level: { steps, fails }, swallow }: Extract<Step, { kind: 'inner' }>): boolean {
    if (how !== 'join') return this.run({ steps, fails }) || swallow;
    const isWhole = this.#steps(steps) && !fails;
    if (!isWhole) this.#isDoomed = true;
    return isWhole || swallow;
  }
}

/** The same through the library. */
class Real {
  readonly bench = new TransactionBench({ limits: { transactionTimeoutMs: 0 } });

  async run(tree: Level): Promise<boolean> {
    return lasts(this.bench.transaction((tx) => this.#level(tx, tree)));
  }

  async #level(tx: Transaction, { steps, fails }: Level): Promise<void> {
    for (const step of steps) await this.#step(tx, step);
    if (fails) throw new Failure();
  }

  async #step(tx: Transaction, step: Step): Promise<void> {
    switch (step.kind) {
      case 'set':
        await this.bench.run(`set ${step.key} ${step.value}`);
        return;
      case 'fail':
        await tx.run('fail').catch(() => {});
        return;
      case 'all':
        await Promise.allSettled(
          step.levels.map((one) => tx.transaction((inner) => this.#level(inner, one))),
        );
        return;
      case 'inner': {
        const inner = this.#inner(tx, step);
        await (step.swallow ? inner.catch(() => {}) : inner);
      }
    }
  }

  async #inner(tx: Transaction, { how, level: tree }: Extract<Step, { kind: 'inner' }>): Promise<void> {
    const work = (inner: Transaction): Promise<void> => this.#level(inner, tree);
    switch (how) {
      case 'handle':
        return tx.transaction(work);
      case 'ambient':
        return this.bench.transaction(work, { propagation: 'nested' });
      case 'join':
        return this.bench.transaction(work);
      case 'manual': {
        await using savepoint = await tx.begin();
        // Not ambient by itself: the calls on the database need a transaction that is.
        await savepoint.transaction(work);
        await savepoint.commit();
      }
    }
  }
}

async function lasts(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

test(
  'any tree of nested transactions, with errors at any level, leaves what the model says (C31)',
  async () => {
    await fc.assert(
      fc.asyncProperty(level, async (tree) => {
        const model = new Model();
        const real = new Real();
        const expected = model.run(tree);
        expect(await real.run(tree)).toBe(expected);
        expect(real.bench.source.store).toEqual(model.data);
        await settled();
        expect(real.bench.faults()).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  },
  RUNS * 100 + 30_000,
);
