import type * as Async from '../../src/async/index.ts';
import type * as Events from '../../src/events/index.ts';
import type * as Pools from '../../src/pool/index.ts';
import { importMillpond } from './millpond-source.ts';
import type { LeasePeer } from './peer.ts';

const { Pool, resolvePoolOptions } = await importMillpond<typeof Pools>('pool/index');
const { systemClock } = await importMillpond<typeof Async>('async/index');
const { EventHub } = await importMillpond<typeof Events>('events/index');

interface Thing {
  readonly id: number;
}

/** millpond's own pool with its defaults, leak reports included. */
export async function openPool(max: number): Promise<LeasePeer<Pools.Lease<Thing>>> {
  let made = 0;
  const pool = new Pool<Thing>({
    name: 'bench',
    factory: { create: async () => ({ id: made++ }), destroy: async () => undefined },
    options: resolvePoolOptions({ min: max, max }),
    announce: new EventHub('bench', () => undefined),
    clock: systemClock,
  });
  await pool.start();
  return {
    acquire: () => pool.acquire(),
    release: (lease) => lease.release(),
    close: () => pool.close(),
  };
}
