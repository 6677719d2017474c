import { measureCallers } from '../harness/callers.ts';
import type { LeasePeer } from '../peers/index.ts';
import type { Work } from './work.ts';

const POOL_SIZE = 10;

export function leases(callers: number): Work {
  const contended = callers > POOL_SIZE;
  return {
    name: contended ? 'leases-contended' : 'leases-uncontended',
    title: `lease acquire + release, ${contended ? `contended (${callers} callers)` : 'uncontended'}`,
    what: `a full pool of ${POOL_SIZE} trivial resources; ${contended ? 'held for one microtask' : 'released at once'}`,
    peers: ['millpond pool', 'tarn', 'generic-pool'],
    reference: ['tarn', 'generic-pool'],
    better: 'higher',
    columns: [
      { metric: 'perSecond', title: 'per second', unit: 'perSecond' },
      { metric: 'p99Ms', title: 'p99', unit: 'ms' },
      { metric: 'mainCpuUsPerCall', title: 'main CPU/lease', unit: 'us' },
      { metric: 'rssMb', title: 'RSS', unit: 'mb' },
    ],
    seed: 'none',
    synchronous: 'full',
    async run({ openPool, warmUpMs, measureMs }) {
      const pool = await openPool(POOL_SIZE);
      const call = contended ? () => holdAndRelease(pool) : () => acquireAndRelease(pool);
      const metrics = await measureCallers({ callers, warmUpMs, measureMs, call });
      await pool.close();
      return metrics;
    },
  };
}

async function acquireAndRelease(pool: LeasePeer): Promise<void> {
  const lease = await pool.acquire();
  pool.release(lease);
}

async function holdAndRelease(pool: LeasePeer): Promise<void> {
  const lease = await pool.acquire();
  await undefined;
  pool.release(lease);
}
