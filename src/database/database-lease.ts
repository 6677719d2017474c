import {
  AbstractQueryable,
  checkCallOptions,
  noCopyError,
  type BatchItemResult,
  type CallOptions,
  type CopySource,
  type DriverConnection,
  type LeaseLike,
  type Queryable,
  type RunResult,
  type Shape,
  type ShapeResult,
  type Statement,
} from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';

/** What a lease gives: every call goes to the one connection. */
export interface LeaseConnection extends Queryable {
  readonly id: number;
  /** The same as `db.copyIn`, on this connection. */
  copyIn(text: string, source: CopySource, options?: CallOptions): Promise<RunResult>;
  /** The same as `db.copyOut`, on this connection. */
  copyOut(text: string, options?: CallOptions): AsyncIterableIterator<Uint8Array>;
}

/** The connection of a lease: usable until the lease is released, refused from then on. */
export class LeasedConnection extends AbstractQueryable implements LeaseConnection {
  readonly id: number;
  protected readonly dialect: Dialect;
  readonly #lease: LeaseLike<DriverConnection>;
  readonly #streams = new Set<AsyncIterableIterator<unknown>>();
  #released = false;

  constructor(lease: LeaseLike<DriverConnection>, dialect: Dialect) {
    super();
    this.#lease = lease;
    this.dialect = dialect;
    this.id = lease.resource.id;
  }

  /**
   * Used by the lease alone. Ends the open streams: until they have ended, the next taker would share their
   * snapshot. @returns undefined where there are none
   */
  release(): Promise<unknown> | undefined {
    this.#released = true;
    if (this.#streams.size === 0) return undefined;
    return Promise.all([...this.#streams].map((rows) => rows.return!()));
  }

  async copyIn(text: string, source: CopySource, options?: CallOptions): Promise<RunResult> {
    const connection = this.#connection;
    if (connection.copyIn === undefined) throw noCopyError();
    return connection.copyIn(text, source, checkCallOptions(options));
  }

  copyOut(text: string, options?: CallOptions): AsyncIterableIterator<Uint8Array> {
    const connection = this.#connection;
    if (connection.copyOut === undefined) throw noCopyError();
    return this.#read(connection.copyOut(text, checkCallOptions(options)));
  }

  protected execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    return this.#connection.execute(shape, statement, options);
  }

  protected executeStream(
    statement: Statement,
    options: CallOptions,
  ): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.#read(this.#connection.stream(statement, options));
  }

  protected executeBatch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    return this.#connection.batch(statements, options);
  }

  protected executeScript(text: string, options: CallOptions): Promise<void> {
    return this.#connection.script(text, options);
  }

  get #connection(): DriverConnection {
    if (!this.#released) return this.#lease.resource;
    throw releasedError();
  }

  async *#read<Piece>(rows: AsyncIterableIterator<Piece>): AsyncGenerator<Piece, undefined> {
    this.#streams.add(rows);
    try {
      for await (const chunk of rows) {
        yield chunk;
        if (this.#released) throw releasedError();
      }
    } finally {
      this.#streams.delete(rows);
    }
    // Rows that end because the lease did are not all of the rows.
    if (this.#released) throw releasedError();
    return undefined;
  }
}

function releasedError(): UsageError {
  return new UsageError('The lease was released: its connection belongs to somebody else now.', {
    code: 'ERR_MILLPOND_LEASE_RELEASED',
  });
}

/**
 * One connection of the pool for one taker. Goes back when the scope of `await using` ends, in every outcome.
 */
export class DatabaseLease implements AsyncDisposable {
  readonly connection: LeaseConnection;
  readonly #lease: LeaseLike<DriverConnection>;
  readonly #connection: LeasedConnection;
  #ended: Promise<void> | undefined;

  constructor(lease: LeaseLike<DriverConnection>, dialect: Dialect) {
    this.#lease = lease;
    this.#connection = new LeasedConnection(lease, dialect);
    this.connection = this.#connection;
  }

  /**
   * Gives the connection back; a second call does nothing. What is under way on it is stopped, and rejects.
   */
  release(): void {
    void this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#giveBack() ?? Promise.resolve();
    return this.#ended;
  }

  /** At once, unless there is something to wait for. */
  #giveBack(): Promise<void> | undefined {
    const { resource } = this.#lease;
    // What the taker left running would run alongside the next one's statements.
    resource.cancelPending(new UsageError('The lease was released while this call was under way.'));
    const giveBack = (): void => this.#lease.release(resource.usable ? 'reuse' : 'discard');
    const ending = this.#connection.release();
    // Where a stream cannot be ended in order, the connection is in doubt; its reader was told why.
    if (ending !== undefined) return ending.then(giveBack, () => this.#lease.release('discard'));
    giveBack();
    return undefined;
  }
}
