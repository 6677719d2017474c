import { waitAtMost } from '../async/index.ts';
import type { ResolvedPostgresConfig } from '../config/index.ts';
import type {
  AcquireRequest,
  BatchItemResult,
  CallOptions,
  CopySource,
  DriverConnection,
  LeaseLike,
  LeaseSource,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
  StatementDescription,
} from '../driver/index.ts';
import { ConnectionError, MillpondError } from '../errors/index.ts';
import type { LeaseInfo, PoolStats } from '../pool/index.ts';
import type { ListenHandler, ListenOptions, Subscription } from '../postgres/index.ts';
import { formatLsn, later, parseLsn, WriteMarks, type WriteMark } from '../replication/index.ts';
import type { Backend, BackendParts, ReplicaHealth } from './backend.ts';
import type { EngineStats } from './database-stats.ts';
import { addPoolStats } from './pool-sum.ts';
import type { PostgresBackend } from './postgres-backend.ts';
import { ReplicaRouter } from './replica-router.ts';
import { askPlaceOfWrites, type ReplicaSide } from './replica-side.ts';
import { ReplicaTopology } from './replica-topology.ts';
import { WatchedConnection } from './watched-connection.ts';

/** Past the limit of a close, everything ends within this. */
const CLOSE_END_MS = 2_000;
const SERIALIZATION_FAILURE = '40001';
const READ_ONLY_TRANSACTION = '25006';

/** A primary with replicas: reads that allow it go to a replica that has what they must see. */
export class ReplicatedBackend implements Backend {
  readonly dialect = 'postgres';
  readonly exclusiveWriter = false;
  readonly readersApart = true;
  readonly #config: ResolvedPostgresConfig;
  readonly #topology: ReplicaTopology;
  readonly #router: ReplicaRouter;
  readonly #marks: WriteMarks;

  private constructor(
    config: ResolvedPostgresConfig,
    { name, announce }: BackendParts,
    topology: ReplicaTopology,
  ) {
    this.#config = config;
    this.#topology = topology;
    this.#router = new ReplicaRouter({ name, config, announce, sides: () => topology.replicas });
    this.#marks = new WriteMarks((whose) => askPlaceOfWrites(this.#primary, whose));
  }

  /** @throws ConnectionError where no primary can be found; a replica that is gone is waited for later */
  static async open(config: ResolvedPostgresConfig, parts: BackendParts): Promise<ReplicatedBackend> {
    return new ReplicatedBackend(config, parts, await ReplicaTopology.open(config, parts));
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    if (options.target === 'replica') {
      return this.#read(options, (backend, limited) => backend.execute(shape, statement, limited));
    }
    const call = this.#primary.execute(shape, statement, options);
    return this.#primary.mayWrite(statement.text) ? this.#noting(call) : this.#watching(call);
  }

  async *stream(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    if (options.target !== 'replica') {
      const mark = this.#marks.current();
      try {
        yield* this.#primary.stream(statement, options);
      } finally {
        if (this.#primary.mayWrite(statement.text)) this.#marks.noteWrite(mark);
      }
      return undefined;
    }
    const { backend, release } = await this.#reader(options, undefined);
    try {
      yield* backend.stream(statement, options);
      return undefined;
    } finally {
      release();
    }
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (options.target === 'replica') {
      return this.#read(options, (backend, limited) => backend.batch(statements, limited));
    }
    return this.#noting(this.#primary.batch(statements, options));
  }

  script(text: string, options: CallOptions): Promise<void> {
    return this.#noting(this.#primary.script(text, options));
  }

  describe(text: string): Promise<StatementDescription> {
    return this.#primary.describe(text);
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    return this.#noting(this.#primary.copyIn(text, source, options));
  }

  async *copyOut(text: string, options: CallOptions): AsyncGenerator<Uint8Array, undefined> {
    if (options.target !== 'replica') {
      yield* this.#primary.copyOut(text, options);
      return undefined;
    }
    const { backend, release } = await this.#reader(options, undefined);
    try {
      yield* backend.copyOut(text, options);
      return undefined;
    } finally {
      release();
    }
  }

  listen(channel: string, handler: ListenHandler | undefined, options: ListenOptions): Promise<Subscription> {
    return this.#topology.hub.listen(channel, handler, options);
  }

  source(readOnly: boolean): LeaseSource<DriverConnection> {
    return readOnly
      ? { acquire: (request) => this.#acquireReader(request ?? {}) }
      : { acquire: (request) => this.#acquireWriter(request) };
  }

  /** A lease may write. */
  leaseSource(): LeaseSource<DriverConnection> {
    return this.source(false);
  }

  hasRoom(readOnly: boolean): boolean {
    const open = this.#topology.replicas.flatMap(({ state, backend }) =>
      state === 'up' && backend ? [backend] : [],
    );
    return this.#primary.hasRoom() || (readOnly && open.some((backend) => backend.hasRoom()));
  }

  poolStats(): PoolStats {
    const stats = this.#backends().map((backend) => backend.poolStats());
    const sum = stats.reduce(addPoolStats);
    return { ...sum, waiting: sum.waiting + this.#router.waiting };
  }

  leases(): LeaseInfo[] {
    return this.#backends().flatMap((backend) => backend.leases());
  }

  engineStats(): EngineStats {
    const replicas = this.#topology.replicas.map(({ server, state, lagMs }) => ({ server, state, lagMs }));
    const { primaryServer } = this.#topology;
    const pools = { [primaryServer]: this.#primary.poolStats() };
    for (const { server, backend } of this.#topology.replicas) {
      if (backend !== undefined) pools[server] = backend.poolStats();
    }
    const replication = { primary: primaryServer, fallbacks: this.#router.fallbacks, replicas, pools };
    return { ...this.#primary.engineStats(), replication };
  }

  pendingCalls(): number {
    return this.#backends().reduce((sum, backend) => sum + backend.pendingCalls(), 0);
  }

  async check(): Promise<void> {
    try {
      await this.#primary.check();
    } catch (error) {
      this.#topology.doubt('connection');
      throw error;
    }
  }

  async replicaHealth(): Promise<ReplicaHealth[]> {
    return Promise.all(
      this.#topology.replicas.map(async (side) => {
        const startedAt = performance.now();
        await side.look();
        return healthOf(side, performance.now() - startedAt);
      }),
    );
  }

  readonly reconnect = (): void => {
    for (const backend of this.#backends()) backend.reconnect();
    this.#topology.doubt('connection');
  };

  backup(): Promise<void> {
    return this.#primary.backup();
  }

  async close(timeoutMs: number): Promise<void> {
    const ended = Promise.all([this.#router.close(), this.#topology.close(timeoutMs)]);
    await waitAtMost(timeoutMs + CLOSE_END_MS, ended);
  }

  readYourWrites<T>(after: string | undefined, work: () => T): T {
    return this.#marks.scope(after === undefined ? undefined : parseLsn(after), work);
  }

  readAfter<T>(token: string, work: () => T): T {
    return this.#marks.alsoAfter(parseLsn(token), work);
  }

  readLatest<T>(work: () => T): T {
    return this.#marks.latest(work);
  }

  async lastWrite(): Promise<string | undefined> {
    const lsn = await this.#marks.required();
    return lsn === undefined ? undefined : formatLsn(lsn);
  }

  get #primary(): PostgresBackend {
    return this.#topology.primary;
  }

  #backends(): PostgresBackend[] {
    const replicas = this.#topology.replicas.flatMap(({ backend }) =>
      backend === undefined ? [] : [backend],
    );
    return [this.#primary, ...replicas];
  }

  /** A read has no effect: if one server fails, another may be asked. */
  async #read<T>(
    options: CallOptions,
    run: (backend: PostgresBackend, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    const { queryTimeoutMs } = this.#config;
    const limited = (): CallOptions => {
      const { timeoutMs = queryTimeoutMs } = options;
      const leftMs = timeoutMs === 0 ? 0 : Math.max(1, timeoutMs - (performance.now() - startedAt));
      return { ...options, timeoutMs: leftMs };
    };
    const first = await this.#reader(limited(), undefined);
    try {
      return await run(first.backend, limited());
    } catch (error) {
      if (first.side === undefined || !this.#isOfServer(error, first.side)) throw error;
    } finally {
      first.release();
    }
    const second = await this.#reader(limited(), first.side);
    try {
      return await run(second.backend, limited());
    } finally {
      second.release();
    }
  }

  /** Where a read runs: on a replica, or on the primary with a permit. */
  async #reader(
    options: Pick<CallOptions, 'readAfter' | 'signal' | 'timeoutMs'>,
    avoid: ReplicaSide | undefined,
  ): Promise<{ backend: PostgresBackend; side: ReplicaSide | undefined; release: () => void }> {
    const side = await this.#chooseReplica(options.readAfter, avoid);
    if (side?.backend !== undefined) return { backend: side.backend, side, release: () => undefined };
    const { signal, timeoutMs } = options;
    const permit = await this.#router.permit({ signal, timeoutMs: timeoutMs === 0 ? undefined : timeoutMs });
    return { backend: this.#primary, side: undefined, release: () => permit.release() };
  }

  async #chooseReplica(
    readAfter: string | undefined,
    avoid: ReplicaSide | undefined,
  ): Promise<ReplicaSide | undefined> {
    const asked = readAfter === undefined ? undefined : parseLsn(readAfter);
    const written = await this.#marks.required().catch((error: unknown) => {
      // Without the primary nobody knows what was written last, so a read that must see it cannot be served.
      this.#topology.doubt('connection');
      throw error;
    });
    return this.#router.choose(later(asked, written), avoid);
  }

  async #acquireReader(request: AcquireRequest): Promise<LeaseLike<DriverConnection>> {
    const side = await this.#chooseReplica(undefined, undefined);
    if (side?.backend !== undefined) {
      try {
        return await side.backend.source().acquire(request);
      } catch (error) {
        if (!this.#isOfServer(error, side)) throw error;
      }
    }
    const permit = await this.#router.permit(request);
    try {
      const lease = await this.#primary.source().acquire(request);
      return {
        resource: lease.resource,
        release: (how) => {
          lease.release(how);
          permit.release();
        },
      };
    } catch (error) {
      permit.release();
      throw error;
    }
  }

  async #acquireWriter(request: AcquireRequest | undefined): Promise<LeaseLike<DriverConnection>> {
    const mark = this.#marks.current();
    const wrote = (): void => this.#marks.noteWrite(mark);
    const failed = (error: unknown): void => this.#noteFailure(error);
    try {
      const lease = await this.#primary.source().acquire(request);
      return {
        resource: new WatchedConnection(lease.resource, { wrote, failed }),
        release: (how) => lease.release(how),
      };
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  /** Whether the server itself failed: then it is left out until it answers again. */
  #isOfServer(error: unknown, side: ReplicaSide): boolean {
    if (error instanceof ConnectionError) {
      side.suspect(error);
      return true;
    }
    // What a replica replays may take away what a read on it needs:
    // https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT
    return sqlStateOf(error) === SERIALIZATION_FAILURE;
  }

  async #noting<T>(call: Promise<T>): Promise<T> {
    const mark: WriteMark = this.#marks.current();
    try {
      return await call;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    } finally {
      this.#marks.noteWrite(mark);
    }
  }

  async #watching<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    }
  }

  /** A primary that does not answer, or no longer writes, may have a successor. */
  #noteFailure(error: unknown): void {
    if (error instanceof ConnectionError) this.#topology.doubt('connection');
    else if (sqlStateOf(error) === READ_ONLY_TRANSACTION) this.#topology.doubt('read-only');
  }
}

function sqlStateOf(error: unknown): string | undefined {
  return error instanceof MillpondError
    ? (error.cause as { sqlState?: string } | undefined)?.sqlState
    : undefined;
}

function healthOf(side: ReplicaSide, latencyMs: number): ReplicaHealth {
  const { server, state, lagMs } = side;
  const health = { side: 'replica', server, lagMs, latencyMs } as const;
  if (state === 'up') return { ...health, status: 'up' };
  return { ...health, status: 'down', error: side.trouble };
}
