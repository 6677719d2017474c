import type { AcquireRequest, DriverConnection, LeaseLike, LeaseSource } from '../driver/index.ts';

/**
 * Leases of the connection that holds a database in memory. It is never discarded while it works: there is no
 * other one to replace it with.
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
