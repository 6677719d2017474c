import { createPool } from 'generic-pool';
import type { LeasePeer } from './peer.ts';

interface Thing {
  readonly id: number;
}

/** generic-pool. */
export async function openPool(max: number): Promise<LeasePeer<Thing>> {
  let made = 0;
  const pool = createPool<Thing>(
    { create: async () => ({ id: made++ }), destroy: async () => undefined },
    { min: max, max, acquireTimeoutMillis: 5_000 },
  );
  await pool.ready();
  return {
    acquire: () => pool.acquire(),
    // Not awaited, as its documentation does: the resource is free at once.
    release: (thing) => void pool.release(thing),
    async close() {
      await pool.drain();
      await pool.clear();
    },
  };
}
