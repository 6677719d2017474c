import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../async/index.ts';
import type { ResolvedPostgresConfig } from '../config/index.ts';
import type { AcquireRequest, LeaseLike } from '../driver/index.ts';
import { ConnectionError } from '../errors/index.ts';
import { Pool, resolvePoolOptions } from '../pool/index.ts';
import type { Announcer } from '../events/index.ts';
import type { ReplicaSide } from './replica-side.ts';

export interface ReplicaRouterParts {
  readonly name: string;
  readonly config: ResolvedPostgresConfig;
  readonly announce: Announcer;
  /** The current ones: a server that became the primary is not among them. */
  readonly sides: () => readonly ReplicaSide[];
}

/** Replicas that are nearly there are asked this often. */
const STEP_MS = 3;

/** Chooses the replica for a read, and lets only so many reads run on the primary instead. */
export class ReplicaRouter {
  readonly #parts: ReplicaRouterParts;
  /** Leases of nothing, for counting. */
  readonly #permits: Pool<number> | undefined;
  #turn = 0;
  #fallbacks = 0;

  constructor(parts: ReplicaRouterParts) {
    const { name, config, announce } = parts;
    this.#parts = parts;
    const { acquireTimeoutMs, maxWaiting } = config.pool;
    const max = config.replica.maxFallback;
    this.#permits =
      max === 0
        ? undefined
        : new Pool({
            name: `${name}:replica-fallback`,
            announce: withoutConnections(announce),
            clock: systemClock,
            factory: { create: async () => 0, destroy: async () => {} },
            options: resolvePoolOptions({
              max,
              min: 0,
              acquireTimeoutMs,
              maxWaiting,
              idleTimeoutMs: 0,
              leakAfterMs: 0,
            }),
          });
  }

  /** Reads that ran on the primary because no replica could serve them. */
  get fallbacks(): number {
    return this.#fallbacks;
  }

  /** A replica that shows all up to `required`; undefined when none does within the wait. */
  async choose(required: bigint | undefined, avoid?: ReplicaSide): Promise<ReplicaSide | undefined> {
    const candidates = (): ReplicaSide[] => this.#parts.sides().filter((side) => side !== avoid);
    const ready = this.#next(candidates(), required);
    if (ready !== undefined || required === undefined) return ready;
    const deadlineMs = performance.now() + this.#parts.config.replica.waitMs;
    while (performance.now() < deadlineMs) {
      // One that does not answer must not hold up reads of the others.
      const behind = candidates().filter(({ state }) => state === 'up');
      if (behind.length === 0) return undefined;
      const leftMs = Math.max(0, deadlineMs - performance.now());
      await Promise.race([...behind.map((side) => side.look()), sleep(leftMs)]);
      const caughtUp = this.#next(candidates(), required);
      if (caughtUp !== undefined) return caughtUp;
      await sleep(STEP_MS);
    }
    return undefined;
  }

  /**
   * The right to read from the primary. @throws ConnectionPoolExhaustedError when too many reads run there
   * already
   */
  async permit({ signal, timeoutMs: limitMs }: AcquireRequest): Promise<LeaseLike<number>> {
    if (this.#permits === undefined) throw noReplicaError();
    const { acquireTimeoutMs } = this.#parts.config.pool;
    const timeoutMs = Math.min(acquireTimeoutMs, limitMs ?? acquireTimeoutMs);
    const lease = await this.#permits.acquire({ signal, timeoutMs, holder: 'read of a replica' });
    this.#fallbacks += 1;
    return lease;
  }

  /** Reads in line for a permit. */
  get waiting(): number {
    return this.#permits?.waiting ?? 0;
  }

  async close(): Promise<void> {
    await this.#permits?.close({ timeoutMs: 0 });
  }

  #next(sides: readonly ReplicaSide[], required: bigint | undefined): ReplicaSide | undefined {
    const ready = sides.filter((side) => side.serves(required));
    this.#turn += 1;
    return ready[this.#turn % ready.length];
  }
}

function noReplicaError(): ConnectionError {
  return new ConnectionError(
    'No replica can serve this read, and replica.maxFallback lets none go to the primary.',
    {
      retryable: true,
    },
  );
}

/** What the pool of permits opens and closes are no connections. */
function withoutConnections(announce: Announcer): Announcer {
  return {
    has: (name) => !name.startsWith('connection:') && announce.has(name),
    emit: (name, event) => {
      if (!name.startsWith('connection:')) announce.emit(name, event);
    },
  };
}
