/** A mistake that is easy to make here, and the tests that must notice it. */
export interface Mutant {
  readonly mistake: string;
  /** Below `src/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly right: string;
  readonly wrong: string;
  readonly tests: readonly string[];
}

/** Their places are the numbers by which `main.ts` names them: a new one goes to the end. */
export const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'the group commit does not see that SQLite has ended its transaction',
    file: 'sqlite/group-commit.ts',
    right: 'if (!this.#control.isOpen) return this.#giveUp(members, outcomes[0]!);',
    wrong: '',
    tests: ['test/property/group-commit.test.ts'],
  },
  {
    mistake: 'a group is answered before its COMMIT has returned',
    file: 'sqlite/group-commit.ts',
    right: '      this.#control.commit();\n      return outcomes;',
    wrong: '      queueMicrotask(() => this.#control.commit());\n      return outcomes;',
    tests: ['test/fault/workers/answers.test.ts'],
  },
  {
    mistake: 'the results of a group go to the wrong callers',
    file: 'sqlite/group-commit.ts',
    right: 'outcomes.push(this.#execute(member));',
    wrong: 'outcomes.unshift(this.#execute(member));',
    tests: ['test/property/group-commit.test.ts'],
  },
  {
    mistake: 'a COMMIT that met an I/O error is called undone',
    file: 'sqlite/group-commit.ts',
    right: 'if (primaryCode(failure.code) !== Sqlite.ioError) return failure;',
    wrong: 'if (primaryCode(failure.code) !== -1) return failure;',
    tests: ['test/fault/storage/failing-disk.test.ts', 'test/fault/workers/answers.test.ts'],
  },
  {
    mistake: 'a transaction past its limit is committed all the same',
    file: 'transaction/leased-transaction.ts',
    right: 'const answer = this.connection.rollback().then(',
    wrong: 'const answer = this.connection.commit().then(',
    tests: ['test/fault/transactions/timeouts.test.ts'],
  },
  {
    mistake: 'a write that nothing could stop is told to be rolled back',
    file: 'sqlite/worker-connection.ts',
    right: 'call.cancelReason!({ cancellation: call.cancellation, confirmed: false })',
    wrong: 'call.cancelReason!({ cancellation: call.cancellation, confirmed: true })',
    tests: ['test/fault/workers/runaway.test.ts'],
  },
  {
    mistake: 'an interrupt hits whatever runs at that moment',
    file: 'sqlite/cancel-board.ts',
    right: 'if (Atomics.compareExchange(this.#cells, RUNNING, seq, -seq) !== seq) return false;',
    wrong: 'if (this.running === 0) return false;',
    tests: ['src/sqlite/cancel-board.test.ts', 'test/integration/cancel-board.test.ts'],
  },
  {
    mistake: 'a handle works after its end',
    file: 'transaction/scope.ts',
    right: "if (this.#state !== 'active') throw this.closedError();",
    wrong: '',
    tests: ['test/fault/transactions/fence.test.ts'],
  },
  {
    mistake: 'a statement runs in autocommit when SQLite has ended its transaction',
    file: 'sqlite/session-transaction.ts',
    right: 'if (this.#parts.control.isOpen) return;',
    wrong: 'if (this.#isOpen || this.#parts.control.isOpen) return;',
    tests: ['test/fault/transactions/fence.test.ts'],
  },
  {
    mistake: 'what is queued behind a failure is not stopped before the ROLLBACK',
    file: 'transaction/leased-transaction.ts',
    right: '    this.root.fence(ending);\n    this.watch.stop();\n    this.connection.cancelPending(reason);',
    wrong: '    this.watch.stop();',
    tests: ['test/fault/transactions/parallel-rejection.test.ts'],
  },
  {
    mistake: 'a failed BEGIN leaves its transaction, and its lease, open',
    file: 'transaction/leased-transaction.ts',
    right: 'this.root.interrupt(beginFailed(this.root.label, error));',
    wrong: '',
    tests: ['src/transaction/transaction.test.ts', 'src/transaction/transaction-manager.test.ts'],
  },
  {
    mistake: 'an attempt to connect that failed keeps its place',
    file: 'pool/supply.ts',
    right: 'const fail = (error: MillpondError) => {\n      this.#connecting -= 1;',
    wrong: 'const fail = (error: MillpondError) => {',
    tests: ['src/pool/pool-opening.test.ts'],
  },
  {
    mistake: 'a connection is given to one who has just given up',
    file: 'pool/pool.ts',
    right: 'if (!this.#line.remove(waiter)) return;',
    wrong: '',
    tests: ['src/pool/pool-waiting.test.ts', 'test/property/pool.test.ts'],
  },
  {
    mistake: 'nobody hears of the error of a thread',
    file: 'sqlite/worker-thread.ts',
    right: "this.#worker.on('error', (cause) => {",
    wrong: "this.#worker.on('messageerror', (cause) => {",
    tests: ['test/fault/workers/deaths.test.ts'],
  },
  {
    mistake: 'what is made during a request keeps its context for ever',
    file: 'async/root-context.ts',
    right: 'AsyncLocalStorage.snapshot();',
    wrong: '(work) => (AsyncLocalStorage.snapshot(), work());',
    tests: ['test/integration/async-context.test.ts'],
  },
  {
    mistake: 'a connection is less durable than it was to be',
    file: 'sqlite/pragmas.ts',
    right: "set(database, 'synchronous', SYNCHRONOUS[settings.synchronous]);",
    wrong: "set(database, 'synchronous', SYNCHRONOUS.normal);",
    tests: ['test/integration/concurrency.test.ts'],
  },
  {
    mistake: 'a transaction begins as a reader and becomes a writer',
    file: 'sqlite/transaction-control.ts',
    right: "      this.#run('begin immediate');\n      return true;",
    wrong: "      this.#run('begin');\n      return true;",
    tests: ['test/integration/read-then-write.test.ts'],
  },
  {
    mistake: 'a statement is a write when it begins like one',
    file: 'sqlite/plan.ts',
    right: '    const plan: Plan = {\n      analysis,',
    wrong:
      '    const plan: Plan = {\n      analysis: { ...analysis, writes: /^(insert|update|delete|create|drop)/i.test(text) },',
    tests: ['test/contract/sqlite.test.ts'],
  },
  {
    mistake: 'the write-ahead log is never moved',
    file: 'sqlite/wal-governor.ts',
    right: '    if (this.#isClosed) return;\n    this.#lastCommitAt = performance.now();',
    wrong: '    if (this.#parts.path !== undefined) return;\n    this.#lastCommitAt = performance.now();',
    tests: ['test/fault/storage/long-log.test.ts'],
  },
  {
    mistake: 'what is known of a statement outlives the schema',
    file: 'sqlite/plan.ts',
    right: 'if (this.#parts.refreshSchema()) this.#plans.clear();',
    wrong: '',
    tests: ['test/integration/changed-schema.test.ts'],
  },
  {
    mistake: 'every text is remembered for ever',
    file: 'sqlite/plan.ts',
    right: 'if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value!);',
    wrong: '',
    tests: ['src/sqlite/plan.test.ts'],
  },
  {
    mistake: 'closing waits for a lease that never comes back',
    file: 'pool/pool.ts',
    right: 'await this.#supply.cutOff(error);',
    wrong: '',
    tests: ['src/pool/pool-close.test.ts', 'test/fault/close.test.ts'],
  },
  {
    mistake: 'closing resolves while transactions are open',
    file: 'database/database.ts',
    right: 'await waitAtMost(ROLLBACK_MS, transactions.closeAll(this.#closedError()));',
    wrong: '',
    tests: ['test/fault/transactions/fence.test.ts', 'test/fault/close.test.ts'],
  },
  {
    mistake: 'the cache keeps what was loaded before an invalidation',
    file: 'cache/versions.ts',
    right: 'for (const label of labels) if ((this.#changedAt.get(label) ?? 0) > since) return false;',
    wrong: '',
    tests: ['test/property/cache-interleavings.test.ts'],
  },
  {
    mistake: 'a bound value stands in an error',
    file: 'sqlite/redact.ts',
    right: 'let clean = message;',
    wrong: 'let clean = message;\n  if (clean !== undefined) return clean;',
    tests: ['src/sqlite/redact.test.ts', 'test/fault/secrets.test.ts'],
  },
];
