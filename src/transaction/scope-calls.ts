import {
  noCopyError,
  type BatchItemResult,
  type CallOptions,
  type CopySource,
  type RunResult,
  type Shape,
  type ShapeResult,
  type Statement,
} from '../driver/index.ts';
import type { Flight } from './flights.ts';
import type { Scope } from './scope.ts';
import { ScopeStream } from './scope-stream.ts';

/**
 * The statements of one scope: refused when the scope has ended, taking turns with its savepoints, and
 * counted until answered.
 */
export class ScopeCalls {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    const { connection } = this.#scope.transaction;
    return this.#send(statement.text, options, (limited) => connection.execute(shape, statement, limited));
  }

  /** The same, for a read-only part. @throws what `refuse` makes, where the statement may write */
  executeRead<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
    refuse: () => Error,
  ): Promise<ShapeResult[S]> {
    const { connection } = this.#scope.transaction;
    return this.#send(statement.text, options, async (limited) => {
      if (await connection.mayWrite(statement.text)) throw refuse();
      return connection.execute(shape, statement, limited);
    });
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    const { connection } = this.#scope.transaction;
    const text = statements.map((statement) => statement.text).join('; ');
    return this.#send(text, options, (limited) => connection.batch(statements, limited));
  }

  script(text: string, options: CallOptions): Promise<void> {
    const { connection } = this.#scope.transaction;
    return this.#send(text, options, (limited) => connection.script(text, limited));
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    const open = (limited: CallOptions) => this.#scope.transaction.connection.stream(statement, limited);
    return new ScopeStream(this.#scope, { text: statement.text, options, open });
  }

  /** The same, for a read-only part. */
  streamRead(
    statement: Statement,
    options: CallOptions,
    refuse: () => Error,
  ): AsyncIterableIterator<Record<string, unknown>[]> {
    const { connection } = this.#scope.transaction;
    const open = async function* (
      limited: CallOptions,
    ): AsyncGenerator<Record<string, unknown>[], undefined> {
      if (await connection.mayWrite(statement.text)) throw refuse();
      yield* connection.stream(statement, limited);
      return undefined;
    };
    return new ScopeStream(this.#scope, { text: statement.text, options, open });
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    const { connection } = this.#scope.transaction;
    return this.#send(text, options, async (limited) => {
      if (connection.copyIn === undefined) throw noCopyError();
      return connection.copyIn(text, source, limited);
    });
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    const { connection } = this.#scope.transaction;
    const open = (limited: CallOptions): AsyncIterableIterator<Uint8Array> => {
      if (connection.copyOut === undefined) throw noCopyError();
      return connection.copyOut(text, limited);
    };
    return new ScopeStream(this.#scope, { text, options, open });
  }

  /** Waits until every statement sent so far was answered. @throws the first error among them. */
  async flush(): Promise<void> {
    this.#scope.assertActive();
    const answers = await Promise.allSettled(this.#scope.flights.answers());
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.#scope.assertActive();
  }

  #send<T>(text: string, options: CallOptions, start: (options: CallOptions) => Promise<T>): Promise<T> {
    const scope = this.#scope;
    if (scope.state !== 'active') return Promise.reject(scope.closedError());
    const flight: Flight = {
      kind: 'statement',
      text,
      name: options.name,
      site: scope.transaction.environment.sites.locate(text),
    };
    const answer = scope.inTurn(options, (limited) => {
      scope.noteSent(flight);
      return start(limited);
    });
    scope.flights.add(flight);
    const promise = answer.then(
      (value) => {
        scope.noteEnded(flight);
        // Answered after the fence fell: it is being undone, and must not look like a success.
        scope.assertActive();
        return value;
      },
      (error: unknown) => {
        scope.noteEnded(flight);
        throw error;
      },
    );
    flight.promise = promise;
    return promise;
  }
}
