import { systemClock, waitAtMost } from '../async/index.ts';
import type { ResolvedPostgresConfig } from '../config/index.ts';
import { ConnectionError } from '../errors/index.ts';
import {
  Pool,
  resolvePoolOptions,
  type LeaseInfo,
  type PoolStats,
  type ResourceFactory,
} from '../pool/index.ts';
import {
  CleanSource,
  ENGINE_CONNECTIONS,
  ENGINE_HOLDERS,
  PostgresEngine,
  type ConnectionRole,
  type PostgresConnection,
  type PostgresSettings,
} from '../postgres/index.ts';
import type { BackendParts } from './backend.ts';
import { withoutEngineLeaks } from './engine-leaks.ts';
import { addPoolStats } from './pool-sum.ts';

/** For a connection's goodbye; then it is cut off. */
const CLOSE_STEP_MS = 1_000;
/** Past the limit of a close, what is cut off under its holders ends within this. */
const CLOSE_END_MS = 2_000;

interface PostgresSideParts extends Pick<BackendParts, 'name' | 'announce' | 'observer'> {
  readonly config: ResolvedPostgresConfig;
  readonly settings: PostgresSettings;
}

/**
 * One server with its pools. Leases, transactions and statements that are not known to be cheap use the
 * connections that `pool.max` counts; a few more are shared by many callers, unless there is one connection
 * for everything.
 */
export class PostgresSide {
  readonly engine: PostgresEngine;
  /** Connections as they are lent: they come back clean. */
  readonly source: CleanSource;
  readonly #config: ResolvedPostgresConfig;
  readonly #connections: Pool<PostgresConnection>;
  readonly #others: readonly Pool<PostgresConnection>[];

  constructor({ name, announce, observer, config, settings }: PostgresSideParts) {
    this.#config = config;
    this.engine = new PostgresEngine({ settings, announce, observer });
    const create = (role: ConnectionRole, poolName: string, limits: object) =>
      new Pool({
        name: poolName,
        announce: withoutEngineLeaks(announce, ENGINE_HOLDERS),
        clock: systemClock,
        factory: this.#factory(role),
        options: resolvePoolOptions({ ...config.pool, ...limits }),
      });
    this.#connections = create('connection', name, config.pooled ? {} : { min: 1, max: 1, maxOverflow: 0 });
    this.source = new CleanSource(this.#connections);
    // Through a pooler no session stays with anybody, so it cannot be given a role.
    const hasShared = config.pooled && !settings.throughPooler;
    const extra = (role: 'shared' | 'grouped') =>
      create(role, `${name}:${role}`, { min: 0, max: ENGINE_CONNECTIONS[role], maxOverflow: 0 });
    const shared = hasShared ? extra('shared') : undefined;
    const grouped = hasShared && !settings.readOnly ? extra('grouped') : undefined;
    this.#others = [shared, grouped].filter((pool) => pool !== undefined);
    this.engine.start({ connections: this.source, shared, grouped });
  }

  /** @throws ConnectionError where the server cannot be reached */
  async start(): Promise<void> {
    await this.#connections.start(1);
  }

  hasRoom(): boolean {
    const { idle, leased, connecting, max } = this.#connections.stats();
    const { maxOverflow } = this.#config.pool;
    return idle > 0 || leased + connecting < max + (this.#config.pooled ? maxOverflow : 0);
  }

  /** All connections, against the limit that was configured: the engine's own few may come on top of it. */
  poolStats(): PoolStats {
    this.engine.giveBackIdle();
    const sum = this.#pools()
      .map((pool) => pool.stats())
      .reduce(addPoolStats);
    const { max } = this.#connections.stats();
    return { ...sum, max, overflow: Math.max(0, sum.size - max) };
  }

  leases(): LeaseInfo[] {
    this.engine.giveBackIdle();
    return this.#pools().flatMap((pool) => pool.leases());
  }

  /** Opens every connection anew: idle ones now, leased ones when they come back. */
  retireAll(reason: string): void {
    for (const pool of this.#pools()) pool.retireAll(reason);
  }

  /** Settles at most {@link CLOSE_END_MS} after the limit. */
  async close(timeoutMs: number): Promise<void> {
    const ends = this.#pools().map((pool) => pool.close({ timeoutMs }));
    await waitAtMost(timeoutMs + CLOSE_END_MS, Promise.all(ends));
  }

  #pools(): Pool<PostgresConnection>[] {
    return [this.#connections, ...this.#others];
  }

  #factory(role: ConnectionRole): ResourceFactory<PostgresConnection> {
    return {
      role,
      create: (signal) => this.engine.connect(role, signal),
      destroy: (connection, reason) => connection.end(reason, CLOSE_STEP_MS),
      ping: (connection) => connection.ping(),
      isUsable: (connection) => connection.usable,
      lost: async ({ lost }) => new ConnectionError('A connection was lost.', { cause: await lost }),
      describe: ({ id }) => ({ connectionId: id, role }),
    };
  }
}
