import type {
  BatchItemResult,
  CallOptions,
  CopySource,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
} from '../driver/index.ts';
import { ReadOnlyError } from '../errors/index.ts';
import type { CommitHook, RollbackHook } from './hooks.ts';
import type { Scope } from './scope.ts';
import type { Transaction } from './transaction.ts';

interface ViewSetup {
  readonly readOnly: boolean;
  readonly joined: boolean;
  /** @default false */
  readonly nests?: boolean;
}

/** A scope as one function sees it: the one that began it, or one that joined it, perhaps read-only. */
export class TransactionView {
  readonly scope: Scope;
  readonly readOnly: boolean;
  /** True where another function began the scope and will end it. */
  readonly joined: boolean;
  /** True where those that would join it get a savepoint instead. */
  readonly nests: boolean;
  #handle: Transaction | undefined;

  constructor(scope: Scope, { readOnly, joined, nests = false }: ViewSetup) {
    this.scope = scope;
    this.readOnly = readOnly;
    this.joined = joined;
    this.nests = nests;
  }

  /** The handle that the user gets. */
  get handle(): Transaction {
    this.#handle ??= this.scope.transaction.environment.toHandle(this);
    return this.#handle;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    if (!this.#isReadOnlyPart()) return this.scope.calls.execute(shape, statement, options);
    const refuse = () => this.#refusal(statement.text);
    if (shape === 'run') return Promise.reject(refuse());
    return this.scope.calls.executeRead(shape, statement, options, refuse);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (this.#isReadOnlyPart()) return Promise.reject(this.#refusal(statements[0]?.text));
    return this.scope.calls.batch(statements, options);
  }

  script(text: string, options: CallOptions): Promise<void> {
    if (this.#isReadOnlyPart()) return Promise.reject(this.#refusal(text));
    return this.scope.calls.script(text, options);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    if (!this.#isReadOnlyPart()) return this.scope.calls.stream(statement, options);
    return this.scope.calls.streamRead(statement, options, () => this.#refusal(statement.text));
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    if (this.#isReadOnlyPart()) return Promise.reject(this.#refusal(text));
    return this.scope.calls.copyIn(text, source, options);
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    return this.scope.calls.copyOut(text, options);
  }

  onCommit(hook: CommitHook): void {
    this.scope.assertActive();
    this.scope.hooks.onCommit(hook);
  }

  onRollback(hook: RollbackHook): void {
    this.scope.assertActive();
    this.scope.hooks.onRollback(hook);
  }

  /** A transaction that is read-only as a whole is guarded by its engine, which knows every statement. */
  #isReadOnlyPart(): boolean {
    return this.readOnly && !this.scope.transaction.readOnly;
  }

  #refusal(sql: string | undefined): ReadOnlyError {
    const refused = 'run(), batch(), script() and what may write are refused';
    const message = `Here ${this.scope.label} is for reading only: ${refused}.`;
    return new ReadOnlyError(message, sql === undefined ? {} : { sql });
  }
}
