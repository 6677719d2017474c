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
import type { LeaseInfo, PoolStats } from '../pool/index.ts';
import type { ListenHandler, ListenOptions, PostgresSettings, Subscription } from '../postgres/index.ts';
import { formatLsn } from '../replication/index.ts';
import type { Backend, BackendParts } from './backend.ts';
import type { EngineStats } from './database-stats.ts';
import { PostgresServices } from './postgres-services.ts';
import { askPlaceOfWrites } from './replica-side.ts';
import { PostgresSide } from './postgres-side.ts';

const CHECK_TIMEOUT_MS = 5_000;

/** A PostgreSQL server with its pools. */
export class PostgresBackend implements Backend {
  readonly dialect = 'postgres';
  readonly exclusiveWriter = false;
  readonly readersApart = false;
  readonly #primary: PostgresSide;
  readonly #services: PostgresServices;

  private constructor(config: ResolvedPostgresConfig, { name, announce, observer }: BackendParts) {
    const settings = toSettings(config);
    this.#primary = new PostgresSide({ name, announce, observer, config, settings });
    const { engine, source } = this.#primary;
    this.#services = new PostgresServices({ config, engine, source, announce });
  }

  /** @throws ConnectionError with nothing left open */
  static async open(config: ResolvedPostgresConfig, parts: BackendParts): Promise<PostgresBackend> {
    const backend = new PostgresBackend(config, parts);
    try {
      await backend.#primary.start();
      return backend;
    } catch (error) {
      await backend.close(0);
      throw error;
    }
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#primary.engine.execute(shape, statement, options);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.#primary.engine.stream(statement, options);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    return this.#primary.engine.batch(statements, options);
  }

  script(text: string, options: CallOptions): Promise<void> {
    return this.#primary.engine.script(text, options);
  }

  describe(text: string): Promise<StatementDescription> {
    return this.#primary.engine.describe(text);
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    return this.#services.copyIn(text, source, options);
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    return this.#services.copyOut(text, options);
  }

  listen(channel: string, handler: ListenHandler | undefined, options: ListenOptions): Promise<Subscription> {
    return this.#services.listen(channel, handler, options);
  }

  /** A connection of its own, for what listens. */
  openLink(signal: AbortSignal): ReturnType<PostgresServices['openLink']> {
    return this.#services.openLink(signal);
  }

  /** A question of millpond's own, which waits for no caller's connection. */
  ask(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    return this.#primary.engine.ask(statement, timeoutMs);
  }

  askApart(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    return this.#primary.engine.askApart(statement, timeoutMs);
  }

  /** By what is known of the text: false only where nothing it does could last. */
  mayWrite(text: string): boolean {
    return this.#primary.engine.mayWrite(text);
  }

  /** A place in the log behind every write of this process that was answered before. */
  async lastWrite(): Promise<string> {
    return formatLsn(await askPlaceOfWrites(this, 'own'));
  }

  get mayCommitEarly(): boolean {
    return this.#primary.engine.mayCommitEarly;
  }

  source(): LeaseSource<DriverConnection> {
    return this.#primary.source;
  }

  hasRoom(): boolean {
    return this.#primary.hasRoom();
  }

  poolStats(): PoolStats {
    return this.#primary.poolStats();
  }

  leases(): LeaseInfo[] {
    return this.#primary.leases();
  }

  engineStats(): EngineStats {
    return { postgres: this.#primary.engine.stats() };
  }

  pendingCalls(): number {
    return this.#primary.engine.pendingCalls();
  }

  async check(): Promise<void> {
    const statement = { text: 'select 1', params: [] };
    await this.#primary.engine.execute('value', statement, {
      timeoutMs: CHECK_TIMEOUT_MS,
      name: 'health check',
    });
  }

  readonly reconnect = (): void => this.#primary.retireAll('health check failed');

  async backup(): Promise<void> {
    throw new UsageError('A PostgreSQL database is backed up by the server’s own tools, such as pg_dump.');
  }

  /** Settles at most 2 s after the limit. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.#primary.close(timeoutMs), this.#services.close()]);
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
    searchPath: config.postgres.searchPath ?? '',
    readOnly: config.readOnly,
    pooled: config.pooled,
    preparedStatements: config.postgres.preparedStatements,
    throughPooler: config.postgres.throughPooler,
    statementCacheSize: config.statementCacheSize,
    queryTimeoutMs: config.queryTimeoutMs,
    cancelGraceMs: config.cancelGraceMs,
    streamIdleTimeoutMs: config.idleInTransactionTimeoutMs,
    transactionTimeoutMs: config.transactionTimeoutMs,
    idleInTransactionTimeoutMs: config.idleInTransactionTimeoutMs,
    maxWaiting: pool.maxWaiting,
  };
}
