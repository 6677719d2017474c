import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemClock, waitAtMost } from '../async/index.ts';
import type { ResolvedSqliteConfig } from '../config/index.ts';
import {
  acquireWithin,
  type BatchItemResult,
  type CallOptions,
  type DriverConnection,
  type LeaseSource,
  type QueryObserver,
  type Shape,
  type ShapeResult,
  type Statement,
  type StatementDescription,
} from '../driver/index.ts';
import { ConfigError, ConnectionPoolExhaustedError, TimeoutError, UsageError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { Pool, resolvePoolOptions, type LeaseInfo, type PoolStats } from '../pool/index.ts';
import {
  ENGINE_HOLDERS,
  EXPRESS_READERS,
  SqliteEngine,
  type ConnectionRole,
  type LaneSource,
  type SqliteConnection,
  type SqliteSettings,
} from '../sqlite/index.ts';
import type { Backend } from './backend.ts';
import { InMemorySource } from './in-memory-source.ts';
import { addPoolStats } from './pool-sum.ts';

export interface BackendParts {
  readonly name: string;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
  /**
   * Called before a write outside a transaction is accepted; throws where it would wait for its own caller.
   */
  readonly beforeWrite: () => void;
  /**
   * With one connection for everything: called before any call outside a transaction is accepted; throws
   * where a transaction of its own flow holds that connection.
   */
  readonly beforeCall: () => void;
}

/** Statements of the engine's own that run while it closes. */
const CLOSE_STEP_MS = 2_000;
/** Past the limit of a close, what is cut off under its holders ends within this, … */
const CLOSE_END_MS = 2_000;
/** … the readers within this: where one does not, the writer's own end is more important. */
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
  readonly #writers: Pool<SqliteConnection>;
  /** The same pool as `#writers` where there is one connection. */
  readonly #readers: Pool<SqliteConnection>;
  /**
   * Readers that serve light statements when leases and heavy statements hold all others; absent with one
   * connection.
   */
  readonly #express: Pool<SqliteConnection> | undefined;
  readonly #beforeCall: (() => void) | undefined;
  readonly #isInMemory: boolean;

  private constructor(
    config: ResolvedSqliteConfig,
    { name, announce, observer, beforeWrite, beforeCall }: BackendParts,
  ) {
    this.readersApart = config.pooled;
    this.#beforeCall = config.pooled ? undefined : beforeCall;
    this.#config = config;
    this.#isInMemory = config.path === ':memory:';
    this.reconnect = this.#isInMemory ? undefined : () => this.#retireAll();
    this.#engine = new SqliteEngine({ settings: toSettings(config), announce, observer, beforeWrite });
    const parts = { announce: withoutEngineLeaks(announce), clock: systemClock };
    const create = (role: ConnectionRole) => () => this.#engine.connect(role);
    const factory = (role: ConnectionRole) => ({
      create: create(role),
      // A thread and a file: on a busy machine that takes longer than many want to wait for others.
      opensHere: true,
      destroy: (connection: SqliteConnection, reason: string) => connection.end(reason, CLOSE_STEP_MS),
      // The loss of a thread is heard of. A ping would only find one that is slow, and in memory that is no
      // reason to end it.
      ...(this.#isInMemory ? {} : { ping: (connection: SqliteConnection) => connection.ping() }),
      isUsable: (connection: SqliteConnection) => connection.usable,
      describe: ({ id, role: actual }: SqliteConnection) => ({ connectionId: id, role: actual }),
    });
    // What is lost in memory cannot be opened again: nothing is to try.
    const min = this.#isInMemory ? 0 : 1;
    const one = { ...config.pool, min, max: 1, maxOverflow: 0, idleTimeoutMs: 0, maxLifetimeMs: 0 };
    const writerRole = config.readOnly ? 'reader' : 'writer';
    this.#writers = new Pool({
      ...parts,
      name: config.pooled ? `${name}:writer` : name,
      factory: factory(writerRole),
      options: resolvePoolOptions(one),
    });
    this.#readers = config.pooled
      ? new Pool({
          ...parts,
          name,
          factory: factory('reader'),
          options: resolvePoolOptions({ ...config.pool, min: 0 }),
        })
      : this.#writers;
    const express = resolvePoolOptions({ ...config.pool, min: 1, max: EXPRESS_READERS, maxOverflow: 0 });
    this.#express = config.pooled
      ? new Pool({ ...parts, name: `${name}:express`, factory: factory('reader'), options: express })
      : undefined;
  }

  /**
   * Opens the file: the writer first, which alone switches it to WAL. @throws ConnectionError with nothing
   * left open
   */
  static async open(config: ResolvedSqliteConfig, parts: BackendParts): Promise<SqliteBackend> {
    const backend = new SqliteBackend(config, parts);
    try {
      await backend.#writers.start(1);
      backend.#engine.start({
        writer: backend.#writers satisfies LaneSource,
        reader: backend.#readers,
        express: backend.#express ?? backend.#readers,
        maxReaders: config.pool.max,
        oldestRead: () => backend.#oldestRead(),
      });
      // In the background: a thread takes its time to start, and the first read should not wait for all of
      // it. Where it cannot start, the first read that needs it says so.
      backend.#express?.start().catch(() => undefined);
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
    return this.#isInMemory ? new InMemorySource(this.#writers) : this.#pool(readOnly);
  }

  hasRoom(readOnly: boolean): boolean {
    const { idle, leased, connecting, max } = this.#pool(readOnly).stats();
    const { maxOverflow } = this.#config.pool;
    return idle > 0 || leased + connecting < (this.#pool(readOnly) === this.#writers ? 1 : max + maxOverflow);
  }

  poolStats(): PoolStats {
    return this.#pools()
      .map((pool) => pool.stats())
      .reduce(addPoolStats);
  }

  leases(): LeaseInfo[] {
    return this.#pools().flatMap((pool) => pool.leases());
  }

  engineStats(): Record<string, unknown> {
    return { sqlite: this.#engine.stats() };
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
      // Somebody has taken the connection since, and the check was waiting for it.
      if (!(isWaitOver(error) && this.#isLent())) throw error;
    }
  }

  async backup(path: string, overwrite: boolean): Promise<void> {
    const target = resolve(path);
    if (target === this.#config.path) throw new UsageError('A database cannot be backed up onto itself.');
    if (!overwrite && existsSync(target)) {
      throw new UsageError(
        `There is a file at ${target} already. Choose another name, or pass { overwrite: true }.`,
      );
    }
    this.#engine.assertThere();
    const lease = await this.#readers.acquire({ holder: 'backup' });
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
    // The writer closes last: whoever closes last folds the log into the file, and a reader cannot.
    const readers = this.#pools().filter((pool) => pool !== this.#writers);
    const readersEnd = Promise.all(readers.map((pool) => pool.close({ timeoutMs })));
    await waitAtMost(left(timeoutMs + READERS_END_MS), readersEnd);
    await this.#engine.stopServices(left(timeoutMs + READERS_END_MS));
    await this.#tidy(Math.min(CLOSE_STEP_MS, left(timeoutMs + READERS_END_MS)));
    await waitAtMost(left(timeoutMs + CLOSE_END_MS), this.#writers.close({ timeoutMs: left(timeoutMs) }));
    this.#engine.close();
  }

  #retireAll(): void {
    // Where writes are stopped for good no other connection would be better, and there may be none.
    if (!this.#engine.isSound) return;
    for (const pool of this.#pools()) pool.retireAll('health check failed');
  }

  #assertMayCall(): void {
    this.#engine.assertThere();
    this.#beforeCall?.();
  }

  /** With one connection: whether a check would wait behind its holder, who shows that it is there. */
  #isBusy(): boolean {
    return !this.#config.pooled && this.#writers.leases().length > 0;
  }

  /** The same, where the engine's own use of it does not count. */
  #isLent(): boolean {
    return !this.#config.pooled && this.#writers.leases().some(({ holder }) => !isEngine(holder));
  }

  #pools(): Pool<SqliteConnection>[] {
    return [...new Set([this.#readers, this.#express ?? this.#readers, this.#writers])];
  }

  #pool(readOnly: boolean): Pool<SqliteConnection> {
    return readOnly ? this.#readers : this.#writers;
  }

  /** Query statistics and the log, as one would leave them. Nothing depends on it. */
  async #tidy(timeoutMs: number): Promise<void> {
    if (this.#config.readOnly || !this.#engine.isSound) return;
    const lease = this.#writers.tryAcquire('close');
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
    const lease = await acquireWithin(this.#readers, limits, name ?? 'stream');
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

  /** Of the readers; one that the light statements share is seldom the one to blame. */
  #oldestRead(): { heldMs: number; holder: string; takenAt: string } | undefined {
    const pools = this.#pools().filter((pool) => pool !== this.#writers);
    const leases = pools.flatMap((pool) => pool.leases());
    return leases.find(({ holder }) => holder !== ENGINE_HOLDERS.sharedReads) ?? leases[0];
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

/** What waits for a connection, and got none in time. */
function isWaitOver(error: unknown): boolean {
  return error instanceof TimeoutError || error instanceof ConnectionPoolExhaustedError;
}

function isEngine(holder: string): boolean {
  return Object.values<string>(ENGINE_HOLDERS).includes(holder);
}

/** What the engine holds for all callers together is busy, not leaked. */
function withoutEngineLeaks(announce: Announcer): Announcer {
  return {
    has: (name) => announce.has(name),
    emit: (name, event) => {
      const isLeak = name === 'pool:leak' || name === 'pool:leak-returned';
      if (isLeak && isEngine((event as { holder: string }).holder)) return;
      announce.emit(name, event);
    },
  };
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
