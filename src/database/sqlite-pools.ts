import { systemClock } from '../async/index.ts';
import type { ResolvedSqliteConfig } from '../config/index.ts';
import {
  Pool,
  resolvePoolOptions,
  type LeaseInfo,
  type PoolStats,
  type ResourceFactory,
} from '../pool/index.ts';
import {
  ENGINE_HOLDERS,
  EXPRESS_READERS,
  type ConnectionRole,
  type SqliteConnection,
  type SqliteEngine,
} from '../sqlite/index.ts';
import type { BackendParts } from './backend.ts';
import { withoutEngineLeaks } from './engine-leaks.ts';
import { addPoolStats } from './pool-sum.ts';

interface SqlitePoolsParts extends Pick<BackendParts, 'name' | 'announce'> {
  readonly config: ResolvedSqliteConfig;
  readonly engine: SqliteEngine;
}

/** What a pool is called in figures and events, and the connections it holds. */
interface PoolKind {
  readonly name: string;
  readonly role: ConnectionRole;
}

/** Statements of the engine's own that run while a connection closes may take this long. */
export const CLOSE_STEP_MS = 2_000;

/** The pools of one SQLite file: one writer and several readers, or one connection for everything. */
export class SqlitePools {
  readonly writers: Pool<SqliteConnection>;
  /** The same pool as `writers` where there is one connection. */
  readonly readers: Pool<SqliteConnection>;
  /**
   * Readers that serve light statements when leases and heavy statements hold all others; absent with one
   * connection.
   */
  readonly express: Pool<SqliteConnection> | undefined;
  readonly #parts: SqlitePoolsParts;

  constructor(parts: SqlitePoolsParts) {
    this.#parts = parts;
    const { name, config } = parts;
    const { pool, pooled } = config;
    // A database in memory is lost with its connection, so no other one may be opened in its place.
    const min = isInMemory(config) ? 0 : 1;
    const single = { min, max: 1, maxOverflow: 0, idleTimeoutMs: 0, maxLifetimeMs: 0 };
    const writer = {
      name: pooled ? `${name}:writer` : name,
      role: config.readOnly ? 'reader' : 'writer',
    } as const;
    this.writers = this.#create(writer, { ...pool, ...single });
    this.readers = pooled ? this.#create({ name, role: 'reader' }, pool) : this.writers;
    const express = { ...pool, min: 1, max: EXPRESS_READERS, maxOverflow: 0 };
    this.express = pooled ? this.#create({ name: `${name}:express`, role: 'reader' }, express) : undefined;
  }

  /**
   * In the background: a thread takes its time to start, and the first read should not wait for all of it.
   * Where it cannot start, the first read that needs it says so.
   */
  startReaders(): void {
    for (const pool of this.all()) if (pool !== this.writers) pool.start().catch(() => undefined);
  }

  for(readOnly: boolean): Pool<SqliteConnection> {
    return readOnly ? this.readers : this.writers;
  }

  /** Each pool once. */
  all(): Pool<SqliteConnection>[] {
    return [...new Set([this.readers, this.express ?? this.readers, this.writers])];
  }

  /** False when an acquire of that kind would have to wait for another holder. */
  hasRoom(readOnly: boolean): boolean {
    const pool = this.for(readOnly);
    const { idle, leased, connecting, max } = pool.stats();
    const { maxOverflow } = this.#parts.config.pool;
    return idle > 0 || leased + connecting < (pool === this.writers ? 1 : max + maxOverflow);
  }

  stats(): PoolStats {
    return Object.values(this.statsByName()).reduce(addPoolStats);
  }

  statsByName(): Record<string, PoolStats> {
    this.#parts.engine.giveBackIdle();
    return Object.fromEntries(this.all().map((pool) => [pool.name, pool.stats()]));
  }

  leases(): LeaseInfo[] {
    this.#parts.engine.giveBackIdle();
    return this.all().flatMap((pool) => pool.leases());
  }

  /** The oldest lease of a reader. The one that light statements share is seldom to blame: it comes last. */
  oldestRead(): LeaseInfo | undefined {
    const pools = this.all().filter((pool) => pool !== this.writers);
    const leases = pools.flatMap((pool) => pool.leases());
    return leases.find(({ holder }) => holder !== ENGINE_HOLDERS.sharedReads) ?? leases[0];
  }

  #create(
    { name, role }: PoolKind,
    options: Parameters<typeof resolvePoolOptions>[0],
  ): Pool<SqliteConnection> {
    return new Pool({
      name,
      announce: withoutEngineLeaks(this.#parts.announce, ENGINE_HOLDERS),
      clock: systemClock,
      factory: this.#factory(role),
      options: resolvePoolOptions(options),
    });
  }

  #factory(role: ConnectionRole): ResourceFactory<SqliteConnection> {
    const { config, engine } = this.#parts;
    return {
      role,
      create: (signal) => engine.connect(role, signal),
      // It takes a thread and a file: on a busy machine longer than many callers want to wait for others.
      opensHere: true,
      destroy: (connection, reason) => connection.end(reason, CLOSE_STEP_MS),
      // A lost thread announces itself. A ping could only find a slow one, which is no reason to end a
      // database in memory.
      ...(isInMemory(config) ? {} : { ping: (connection: SqliteConnection) => connection.ping() }),
      isUsable: (connection) => connection.usable,
      describe: ({ id, role: actual }) => ({ connectionId: id, role: actual }),
    };
  }
}

export function isInMemory({ path }: ResolvedSqliteConfig): boolean {
  return path === ':memory:';
}
