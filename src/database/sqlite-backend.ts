import { readFile } from 'node:fs/promises';
import { systemClock, waitAtMost } from '../async/index.ts';
import type { ResolvedSqliteConfig } from '../config/index.ts';
import {
  acquireWithin,
  type BatchItemResult,
  type CallOptions,
  type DriverConnection,
  type LeaseSource,
  type Shape,
  type ShapeResult,
  type Statement,
  type StatementDescription,
} from '../driver/index.ts';
import { ConfigError, ConnectionPoolExhaustedError, TimeoutError } from '../errors/index.ts';
import type { LeaseInfo, PoolStats } from '../pool/index.ts';
import { ENGINE_HOLDERS, SqliteEngine, type SqliteSettings } from '../sqlite/index.ts';
import type { Backend, BackendParts } from './backend.ts';
import type { EngineStats } from './database-stats.ts';
import { backupTarget } from './backup-target.ts';
import { InMemorySource } from './in-memory-source.ts';
import { CLOSE_STEP_MS, isInMemory, SqlitePools } from './sqlite-pools.ts';

/** Past the limit of a close, what is cut off under its holders ends within this. */
const CLOSE_END_MS = 2_000;
/** The readers' share of that: where one takes longer, the writer's own end is more important. */
const READERS_END_MS = 1_000;
const CHECK_TIMEOUT_MS = 5_000;

/** A SQLite file with its pools: one writer, several readers; or one connection for everything. */
export class SqliteBackend implements Backend {
  readonly dialect = 'sqlite';
  readonly exclusiveWriter = true;
  readonly readersApart: boolean;
  readonly reconnect: (() => void) | undefined;
  readonly #config: ResolvedSqliteConfig;
  readonly #engine: SqliteEngine;
  readonly #pools: SqlitePools;
  readonly #beforeCall: (() => void) | undefined;
  readonly #isInMemory: boolean;

  private constructor(
    config: ResolvedSqliteConfig,
    { name, announce, observer, beforeWrite, beforeCall }: BackendParts,
  ) {
    this.readersApart = config.pooled;
    this.#beforeCall = config.pooled ? undefined : beforeCall;
    this.#config = config;
    this.#isInMemory = isInMemory(config);
    this.reconnect = this.#isInMemory ? undefined : () => this.#retireAll();
    this.#engine = new SqliteEngine({ settings: toSettings(config), announce, observer, beforeWrite });
    this.#pools = new SqlitePools({ name, announce, config, engine: this.#engine });
  }

  /**
   * Opens the file: the writer first, which alone switches it to WAL. @throws ConnectionError with nothing
   * left open
   */
  static async open(config: ResolvedSqliteConfig, parts: BackendParts): Promise<SqliteBackend> {
    const backend = new SqliteBackend(config, parts);
    try {
      const { writers, readers, express } = backend.#pools;
      await writers.start(1);
      backend.#engine.start({
        writer: writers,
        reader: readers,
        express: express ?? readers,
        maxReaders: config.pool.max,
        oldestRead: () => backend.#pools.oldestRead(),
      });
      backend.#pools.startReaders();
      await backend.#runInitScript();
      return backend;
    } catch (error) {
      await backend.close(0);
      throw error;
    }
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    this.#assertMayCall();
    return this.#engine.execute(shape, statement, options);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    this.#assertMayCall();
    const known = this.#engine.analyze(statement, options);
    if (known === undefined) return this.#streamUnknown(statement, options);
    return known.writes ? this.#streamWrite(statement, options) : this.#streamRead(statement, options);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    this.#assertMayCall();
    return this.#engine.batch(statements, options);
  }

  script(text: string, options: CallOptions): Promise<void> {
    this.#assertMayCall();
    return this.#engine.script(text, options);
  }

  describe(text: string): Promise<StatementDescription> {
    this.#assertMayCall();
    return this.#engine.describe(text);
  }

  source(readOnly: boolean): LeaseSource<DriverConnection> {
    this.#engine.assertThere();
    return this.#isInMemory ? new InMemorySource(this.#pools.writers) : this.#pools.for(readOnly);
  }

  hasRoom(readOnly: boolean): boolean {
    return this.#pools.hasRoom(readOnly);
  }

  poolStats(): PoolStats {
    return this.#pools.stats();
  }

  leases(): LeaseInfo[] {
    return this.#pools.leases();
  }

  engineStats(): EngineStats {
    return { sqlite: this.#engine.stats(), pools: this.#pools.statsByName() };
  }

  pendingCalls(): number {
    return this.#engine.pendingCalls();
  }

  async check(): Promise<void> {
    this.#engine.checkPlace();
    if (this.#isBusy()) return;
    // Not 'select 1' alone: that reads nothing of the file.
    const statement = { text: 'select count(*) from sqlite_schema', params: [] };
    try {
      await this.#engine.execute('value', statement, { timeoutMs: CHECK_TIMEOUT_MS, name: 'health check' });
    } catch (error) {
      // That a database in memory is gone says more than that its connection was lost.
      this.#engine.assertThere();
      // Somebody has taken the connection since then, and the check was waiting for it.
      if (!(isWaitOver(error) && this.#isLent())) throw error;
    }
  }

  async backup(path: string, overwrite: boolean): Promise<void> {
    const target = backupTarget(path, { database: this.#config.path, overwrite });
    this.#engine.assertThere();
    const lease = await this.#pools.readers.acquire({ holder: 'backup' });
    try {
      await this.#engine.backup(lease.resource, target);
    } finally {
      lease.release(lease.resource.usable ? 'reuse' : 'discard');
    }
  }

  /** Settles at most {@link CLOSE_END_MS} after the limit; a thread that hangs may go on by itself. */
  async close(timeoutMs: number): Promise<void> {
    const startedAt = systemClock.now();
    const left = (limitMs: number) => Math.max(0, limitMs - (systemClock.now() - startedAt));
    // The writer closes last: the last to close folds the log into the file, and a reader cannot.
    const { writers } = this.#pools;
    const readers = this.#pools.all().filter((pool) => pool !== writers);
    const readersEnd = Promise.all(readers.map((pool) => pool.close({ timeoutMs })));
    await waitAtMost(left(timeoutMs + READERS_END_MS), readersEnd);
    await this.#engine.stopServices(left(timeoutMs + READERS_END_MS));
    await this.#tidy(Math.min(CLOSE_STEP_MS, left(timeoutMs + READERS_END_MS)));
    await waitAtMost(left(timeoutMs + CLOSE_END_MS), writers.close({ timeoutMs: left(timeoutMs) }));
    this.#engine.close();
  }

  #retireAll(): void {
    // Where writes are stopped for good, another connection would be no better, and might not open.
    if (!this.#engine.isSound) return;
    for (const pool of this.#pools.all()) pool.retireAll('health check failed');
  }

  #assertMayCall(): void {
    this.#engine.assertThere();
    this.#beforeCall?.();
  }

  /**
   * With one connection: whether a check would wait behind its holder, whose use shows that the database
   * works.
   */
  #isBusy(): boolean {
    return !this.#config.pooled && this.#pools.writers.leases().length > 0;
  }

  /** The same, where the engine's own use of it does not count. */
  #isLent(): boolean {
    return !this.#config.pooled && this.#pools.writers.leases().some(({ holder }) => !isEngine(holder));
  }

  /** Refreshes the query statistics and checkpoints the log. Nothing depends on it. */
  async #tidy(timeoutMs: number): Promise<void> {
    if (this.#config.readOnly || !this.#engine.isSound) return;
    const lease = this.#pools.writers.tryAcquire('close');
    if (lease === undefined) return;
    try {
      await lease.resource.tidy(timeoutMs);
    } finally {
      lease.release();
    }
  }

  /** With one connection, or while the file is locked, only the writer can tell. */
  async *#streamUnknown(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    const { writes } = await this.#engine.analyzeOnWriter(statement, options);
    yield* writes ? this.#streamWrite(statement, options) : this.#streamRead(statement, options);
    return undefined;
  }

  async *#streamRead(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    const { name, signal, timeoutMs = this.#config.queryTimeoutMs } = options;
    const limits = { name, signal, timeoutMs, startedAt: systemClock.now(), mayWrite: false };
    const lease = await acquireWithin(this.#pools.readers, limits, name ?? 'stream');
    const release = () => lease.release(lease.resource.usable ? 'reuse' : 'discard');
    try {
      // A consumer that went away without a word would keep the lease: the stream itself gives it back.
      yield* lease.resource.rows(statement, options, release);
      return undefined;
    } finally {
      release();
    }
  }

  /** The rows of a write (RETURNING) come after its COMMIT, all at once. */
  async *#streamWrite(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    yield await this.#engine.execute('all', statement, options);
    return undefined;
  }

  async #runInitScript(): Promise<void> {
    const { initScript, readOnly } = this.#config;
    if (initScript === undefined || readOnly) return;
    const count = { text: 'select count(*) from sqlite_schema', params: [] };
    if ((await this.#engine.execute('value', count, {})) !== 0) return;
    await this.#engine.script(await readInitScript(initScript), { name: 'init script' });
  }
}

async function readInitScript(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const message = 'the file cannot be read';
    throw new ConfigError([{ key: 'initScript', message: `${message}: ${path}`, source: 'options' }], {
      cause,
    });
  }
}

/** True for the error of a call that got no connection in time. */
function isWaitOver(error: unknown): boolean {
  return error instanceof TimeoutError || error instanceof ConnectionPoolExhaustedError;
}

function isEngine(holder: string): boolean {
  return Object.values<string>(ENGINE_HOLDERS).includes(holder);
}

function toSettings(config: ResolvedSqliteConfig): SqliteSettings {
  const { path, pooled, readOnly, sqlite, pool } = config;
  return {
    path,
    pooled,
    readOnly,
    journalMode: sqlite.journalMode,
    synchronous: sqlite.synchronous,
    foreignKeys: sqlite.foreignKeys,
    busyTimeoutMs: config.busyTimeoutMs,
    cacheSizeKiB: sqlite.cacheSizeKiB,
    mmapSizeBytes: sqlite.mmapSizeBytes,
    journalSizeLimitBytes: sqlite.journalSizeLimitBytes,
    trustedSchema: sqlite.trustedSchema,
    walCheckpointBytes: sqlite.walCheckpointBytes,
    statementCacheSize: config.statementCacheSize,
    inlineReads: config.inlineReads,
    inlineBudgetMs: config.inlineBudgetMs,
    queryTimeoutMs: config.queryTimeoutMs,
    cancelGraceMs: config.cancelGraceMs,
    streamIdleTimeoutMs: config.idleInTransactionTimeoutMs,
    maxWaiting: pool.maxWaiting,
  };
}
