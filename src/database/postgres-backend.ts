import { systemClock, waitAtMost } from '../async/index.ts';
import type { ResolvedPostgresConfig } from '../config/index.ts';
import type {
  BatchItemResult,
  CallOptions,
  CopySource,
  DriverConnection,
  LeaseSource,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
  StatementDescription,
} from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import { Pool, resolvePoolOptions, type LeaseInfo, type PoolStats } from '../pool/index.ts';
import {
  CleanSource,
  PostgresEngine,
  type ConnectionRole,
  type ListenHandler,
  type ListenOptions,
  type PostgresConnection,
  type PostgresSettings,
  type Subscription,
} from '../postgres/index.ts';
import type { Backend } from './backend.ts';
import { PostgresServices } from './postgres-services.ts';
import type { BackendParts } from './sqlite-backend.ts';

const CHECK_TIMEOUT_MS = 5_000;
/** For a connection's goodbye; then it is cut off. */
const CLOSE_STEP_MS = 1_000;
/** Past the limit of a close, what is cut off under its holders ends within this. */
const CLOSE_END_MS = 2_000;

/** A PostgreSQL server with its pool. */
export class PostgresBackend implements Backend {
  readonly dialect = 'postgres';
  readonly exclusiveWriter = false;
  readonly readersApart = false;
  readonly #config: ResolvedPostgresConfig;
  readonly #engine: PostgresEngine;
  readonly #connections: Pool<PostgresConnection>;
  readonly #source: CleanSource;
  readonly #services: PostgresServices;

  private constructor(config: ResolvedPostgresConfig, { name, announce, observer }: BackendParts) {
    this.#config = config;
    this.#engine = new PostgresEngine({ settings: toSettings(config), announce, observer });
    const pooled = config.pooled ? {} : { min: 1, max: 1, maxOverflow: 0 };
    this.#connections = new Pool({
      name,
      announce,
      clock: systemClock,
      factory: this.#factory('connection'),
      options: resolvePoolOptions({ ...config.pool, ...pooled }),
    });
    this.#source = new CleanSource(this.#connections);
    this.#services = new PostgresServices({ config, engine: this.#engine, source: this.#source, announce });
  }

  /** @throws ConnectionError with nothing left open */
  static async open(config: ResolvedPostgresConfig, parts: BackendParts): Promise<PostgresBackend> {
    const backend = new PostgresBackend(config, parts);
    try {
      backend.#engine.start({ connections: backend.#source });
      await backend.#connections.start(1);
      return backend;
    } catch (error) {
      await backend.close(0);
      throw error;
    }
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#engine.execute(shape, statement, options);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.#engine.stream(statement, options);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    return this.#engine.batch(statements, options);
  }

  script(text: string, options: CallOptions): Promise<void> {
    return this.#engine.script(text, options);
  }

  describe(text: string): Promise<StatementDescription> {
    return this.#engine.describe(text);
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    return this.#services.copyIn(text, source, options);
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    return this.#services.copyOut(text, options);
  }

  listen(
    channel: string,
    handler: ListenHandler | undefined,
    options: ListenOptions,
  ): Promise<Subscription> {
    return this.#services.listen(channel, handler, options);
  }

  source(): LeaseSource<DriverConnection> {
    return this.#source;
  }

  hasRoom(): boolean {
    const { idle, leased, connecting, max } = this.#connections.stats();
    return idle > 0 || leased + connecting < max + this.#config.pool.maxOverflow;
  }

  poolStats(): PoolStats {
    return this.#connections.stats();
  }

  leases(): LeaseInfo[] {
    return this.#connections.leases();
  }

  engineStats(): Record<string, unknown> {
    return { postgres: this.#engine.stats() };
  }

  pendingCalls(): number {
    return this.#engine.pendingCalls();
  }

  async check(): Promise<void> {
    const statement = { text: 'select 1', params: [] };
    await this.#engine.execute('value', statement, { timeoutMs: CHECK_TIMEOUT_MS, name: 'health check' });
  }

  readonly reconnect = (): void => this.#connections.retireAll('health check failed');

  async backup(): Promise<void> {
    throw new UsageError('A PostgreSQL database is backed up by the server’s own tools, such as pg_dump.');
  }

  /** Settles at most {@link CLOSE_END_MS} after the limit. */
  async close(timeoutMs: number): Promise<void> {
    const ended = Promise.all([this.#connections.close({ timeoutMs }), this.#services.close()]);
    await waitAtMost(timeoutMs + CLOSE_END_MS, ended);
  }

  #factory(role: ConnectionRole): ConstructorParameters<typeof Pool<PostgresConnection>>[0]['factory'] {
    return {
      create: (signal) => this.#engine.connect(role, signal),
      destroy: (connection, reason) => connection.end(reason, CLOSE_STEP_MS),
      ping: (connection) => connection.ping(),
      isUsable: (connection) => connection.usable,
      describe: ({ id }) => ({ connectionId: id, role }),
    };
  }
}

function toSettings(config: ResolvedPostgresConfig): PostgresSettings {
  const { primary, pool } = config;
  return {
    host: primary.host,
    port: primary.port,
    user: primary.user,
    password: () => primary.password?.reveal(),
    database: primary.database,
    parameters: primary.parameters,
    searchPath: '',
    readOnly: config.readOnly,
    pooled: config.pooled,
    preparedStatements: true,
    throughPooler: false,
    statementCacheSize: config.statementCacheSize,
    queryTimeoutMs: config.queryTimeoutMs,
    cancelGraceMs: config.cancelGraceMs,
    streamIdleTimeoutMs: config.idleInTransactionTimeoutMs,
    transactionTimeoutMs: config.transactionTimeoutMs,
    idleInTransactionTimeoutMs: config.idleInTransactionTimeoutMs,
    maxWaiting: pool.maxWaiting,
  };
}
