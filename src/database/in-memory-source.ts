import type { AcquireRequest, DriverConnection, LeaseLike, LeaseSource } from '../driver/index.ts';

/**
 * Leases of the connection that holds a database in memory. It is never discarded while it works: where a
 * connection in doubt would be replaced, this one is all there is.
 */
export class InMemorySource implements LeaseSource<DriverConnection> {
  readonly #source: LeaseSource<DriverConnection>;

  constructor(source: LeaseSource<DriverConnection>) {
    this.#source = source;
  }

  async acquire(request?: AcquireRequest): Promise<LeaseLike<DriverConnection>> {
    const lease = await this.#source.acquire(request);
    return { resource: lease.resource, release: () => lease.release('reuse') };
  }
}
