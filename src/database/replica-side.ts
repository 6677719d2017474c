import type { PostgresTarget } from '../config/index.ts';
import { ConnectionError, TimeoutError } from '../errors/index.ts';
import { parseLsn, type LagMeter } from '../replication/index.ts';
import type { PostgresBackend } from './postgres-backend.ts';

/**
 * `starting`: not asked yet. `lagging`: further behind than allowed. `promoted`: it is no longer a replica,
 * so what it shows is not the primary's past.
 */
export type ReplicaState = 'starting' | 'up' | 'lagging' | 'down' | 'promoted';

/** What a server says about itself. */
export interface ServerPlace {
  readonly inRecovery: boolean;
  /** Where a primary's log ends; up to where a replica has replayed it. */
  readonly lsn: bigint;
  /** Up to where a primary has flushed its log, so that replicas can have it; of a replica, `lsn`. */
  readonly flushed: bigint;
  /** A commit is answered when it is on disk; so it is unless somebody has turned that off. */
  readonly flushesCommits: boolean;
}

export interface ReplicaSideParts {
  readonly target: PostgresTarget;
  readonly maxLagMs: number;
  readonly meter: LagMeter;
  open(target: PostgresTarget): Promise<PostgresBackend>;
  readonly onChange: (side: ReplicaSide, before: ReplicaState) => void;
}

/**
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-INFO-TABLE: what a
 * transaction writes is flushed with the next commit, so an idle primary may be ahead of what replicas can
 * have.
 */
const PLACE = {
  text: `select recovery, coalesce(case when recovery then pg_last_wal_replay_lsn()
      else pg_current_wal_insert_lsn() end, '0/0')::text,
    coalesce(case when recovery then pg_last_wal_replay_lsn()
      else pg_current_wal_flush_lsn() end, '0/0')::text,
    current_setting('synchronous_commit') <> 'off'
    from pg_is_in_recovery() as recovery`,
  params: [],
};
const ASK_TIMEOUT_MS = 2_000;
/** A server that is gone is tried again at the latest after this. */
const LONGEST_RETRY_MS = 4_000;
const FIRST_RETRY_MS = 250;

/** @throws ConnectionError, TimeoutError */
export async function askPlace(backend: PostgresBackend): Promise<ServerPlace> {
  return toPlace(await backend.ask(PLACE, ASK_TIMEOUT_MS));
}

/** The same where a connection may be too slow to answer: only a server that accepts none is gone. */
export async function askPlaceSurely(backend: PostgresBackend): Promise<ServerPlace> {
  try {
    return await askPlace(backend);
  } catch {
    // Of the two errors this one's is the better: it is about the server, not about one connection.
    return toPlace(await backend.askApart(PLACE, ASK_TIMEOUT_MS));
  }
}

/**
 * A place behind every write that was answered before: those of this process, or all. What is on disk already
 * is enough for its own, and replicas get there at once; where the log ends may be beyond what they can have.
 */
export async function askPlaceOfWrites(backend: PostgresBackend, whose: 'own' | 'all'): Promise<bigint> {
  const { lsn, flushed, flushesCommits } = await askPlace(backend);
  return whose === 'own' && flushesCommits && !backend.mayCommitEarly ? flushed : lsn;
}

function toPlace([row]: unknown[][]): ServerPlace {
  const [inRecovery, lsn, flushed, flushesCommits] = row as [boolean, string, string, boolean];
  return { inRecovery, lsn: parseLsn(lsn), flushed: parseLsn(flushed), flushesCommits };
}

/** One replica: its connections, and what is known about it. */
export class ReplicaSide {
  readonly target: PostgresTarget;
  readonly #parts: ReplicaSideParts;
  #backend: PostgresBackend | undefined;
  #state: ReplicaState = 'starting';
  #replayed = 0n;
  #lagMs = 0;
  #error: Error | undefined;
  #looking: Promise<void> | undefined;
  #failures = 0;
  #retryAtMs = 0;
  #isClosed = false;

  constructor(parts: ReplicaSideParts) {
    this.#parts = parts;
    this.target = parts.target;
  }

  /** `host:port`, for people. */
  get server(): string {
    return `${this.target.host}:${this.target.port}`;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  get lagMs(): number {
    return this.#lagMs;
  }

  /** Why it is not used, where it is not `up`. */
  get trouble(): Error {
    return (
      this.#error ?? new ConnectionError(`${this.server} is ${this.#lagMs.toFixed(0)} ms behind the primary.`)
    );
  }

  /** Undefined until it could be reached for the first time. */
  get backend(): PostgresBackend | undefined {
    return this.#backend;
  }

  /** Whether reads that must see all up to `required` may go there, by what is known. */
  serves(required: bigint | undefined): boolean {
    return this.#state === 'up' && (required === undefined || this.#replayed >= required);
  }

  /**
   * Asks the replica how far it has come. Callers that ask at the same time share the answer. Never rejects.
   */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** A call there failed: it is not used until it answers again. */
  suspect(error: Error): void {
    // What failed first is the reason; what fails because of that is not.
    if (this.#state !== 'down') this.#error = error;
    this.#enter('down');
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#looking;
    await this.#backend?.close(timeoutMs);
  }

  async #look(): Promise<void> {
    if (this.#isClosed || performance.now() < this.#retryAtMs) return;
    try {
      this.#backend ??= await this.#parts.open(this.target);
      this.#note(await askPlace(this.#backend));
    } catch (error) {
      // Nothing more goes to one that is silent, while it is asked once more.
      if (error instanceof TimeoutError) this.suspect(error);
      await this.#lookApart(error as Error);
    }
  }

  /** One connection may be slow, or lost: only a server that accepts none is gone. */
  async #lookApart(error: Error): Promise<void> {
    try {
      if (this.#backend === undefined) return this.#noteGone(error);
      this.#note(toPlace(await this.#backend.askApart(PLACE, ASK_TIMEOUT_MS)));
    } catch {
      this.#noteGone(error);
      // What still waits for an answer there is asked for elsewhere, instead of waiting out its limit.
      const backend = this.#backend;
      this.#backend = undefined;
      await backend?.close(0);
    }
  }

  #note({ inRecovery, lsn }: ServerPlace): void {
    this.#failures = 0;
    this.#replayed = lsn;
    this.#lagMs = this.#parts.meter.lagMs(lsn, performance.now());
    this.#error = inRecovery ? undefined : noReplicaError(this.server);
    if (inRecovery) this.#enter(this.#lagMs > this.#parts.maxLagMs ? 'lagging' : 'up');
    else this.#enter('promoted');
  }

  #noteGone(error: Error): void {
    this.suspect(error);
    const rangeMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(10, this.#failures));
    this.#failures += 1;
    this.#retryAtMs = performance.now() + rangeMs / 2 + (Math.random() * rangeMs) / 2;
  }

  #enter(state: ReplicaState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    if (!this.#isClosed) this.#parts.onChange(this, before);
  }
}

function noReplicaError(server: string): ConnectionError {
  return new ConnectionError(`${server} is a primary by now, not a replica.`);
}
