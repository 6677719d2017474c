import { Pool } from 'tarn';
import type { LeasePeer } from './peer.ts';

interface Thing {
  readonly id: number;
}

/** tarn, the pool of Knex. */
export function openPool(max: number): LeasePeer<Thing> {
  let made = 0;
  const pool = new Pool<Thing>({
    create: () => ({ id: made++ }),
    destroy: () => undefined,
    min: max,
    max,
    acquireTimeoutMillis: 5_000,
  });
  return {
    acquire: () => pool.acquire().promise,
    release: (thing) => void pool.release(thing),
    close: async () => void (await pool.destroy()),
  };
}
