import type { AcquireRequest, LeaseLike, LeaseSource } from '../driver/index.ts';
import type { PostgresConnection } from './connection.ts';

/** A pool of connections, as the engine uses it. */
export interface ConnectionSource extends LeaseSource<PostgresConnection> {
  /** A lease if one can be had at this moment. */
  tryAcquire(holder?: string): LeaseLike<PostgresConnection> | undefined;
  /** Callers in line. */
  readonly waiting: number;
}

/**
 * Leases whose connections come back clean: what is still under way ends first, a session in which something
 * was set is reset, and a connection on which a transaction is open is not given to anybody else.
 */
export class CleanSource implements ConnectionSource {
  readonly #source: ConnectionSource;

  constructor(source: ConnectionSource) {
    this.#source = source;
  }

  get waiting(): number {
    return this.#source.waiting;
  }

  async acquire(request?: AcquireRequest): Promise<LeaseLike<PostgresConnection>> {
    return cleaning(await this.#source.acquire(request));
  }

  tryAcquire(holder?: string): LeaseLike<PostgresConnection> | undefined {
    const lease = this.#source.tryAcquire(holder);
    return lease === undefined ? undefined : cleaning(lease);
  }
}

function cleaning(lease: LeaseLike<PostgresConnection>): LeaseLike<PostgresConnection> {
  const { resource } = lease;
  let isReleased = false;
  return {
    resource,
    release: (how = 'reuse') => {
      if (isReleased) return;
      isReleased = true;
      if (how === 'discard' || !resource.usable) lease.release('discard');
      else if (resource.isClean) lease.release();
      else void clean(lease);
    },
  };
}

async function clean(lease: LeaseLike<PostgresConnection>): Promise<void> {
  const isClean = await lease.resource.clean().catch(() => false);
  lease.release(isClean ? 'reuse' : 'discard');
}
