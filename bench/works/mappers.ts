import { strictEqual } from 'node:assert/strict';
import { Random } from '../harness/random.ts';
import { eventOf } from '../harness/seed.ts';
import { repeat } from './growth.ts';
import { inserts } from './inserts.ts';
import { pointReads } from './point-reads.ts';
import { readsUnderScans } from './reads-under-scans.ts';
import type { Work } from './work.ts';

const ROWS = 100_000;
const DRIZZLE_PEERS = { peers: ['millpond drizzle', 'drizzle', 'millpond'], reference: ['drizzle'] } as const;

export const drizzlePointReads: Work = {
  ...pointReads(64),
  ...DRIZZLE_PEERS,
  name: 'drizzle-point-reads-64',
  title: 'Drizzle: point reads, 64 callers',
};

export const drizzleInserts: Work = {
  ...inserts(64, 'full'),
  ...DRIZZLE_PEERS,
  name: 'drizzle-inserts-full-64',
  title: 'Drizzle: inserts (FULL), 64 callers',
};

export const drizzleReadsUnderScans: Work = {
  ...readsUnderScans,
  ...DRIZZLE_PEERS,
  name: 'drizzle-reads-under-scans',
  title: 'Drizzle: point reads while two 1 s scans run',
};

const KYSELY_PEERS = { peers: ['millpond kysely', 'kysely', 'millpond'], reference: ['kysely'] } as const;

export const kyselyPointReads: Work = {
  ...pointReads(64),
  ...KYSELY_PEERS,
  name: 'kysely-point-reads-64',
  title: 'Kysely: point reads, 64 callers',
};

export const kyselyInserts: Work = {
  ...inserts(64, 'full'),
  ...KYSELY_PEERS,
  name: 'kysely-inserts-full-64',
  title: 'Kysely: inserts (FULL), 64 callers',
};

/** Beside the same rows as a batch of single inserts, written by hand. */
export const drizzleSaveMany: Work = {
  name: 'drizzle-save-many',
  title: 'saveMany: 100,000 rows in one call',
  what: '100,000 rows in one transaction at FULL, again and again; rows counted afterwards',
  peers: ['millpond drizzle', 'millpond', 'better-sqlite3'],
  reference: ['millpond'],
  better: 'higher',
  columns: [
    { metric: 'rowsPerSecond', title: 'rows/s', unit: 'perSecond' },
    { metric: 'usPerRow', title: 'time/row', unit: 'us' },
    { metric: 'loopMaxMs', title: 'loop max', unit: 'ms' },
    { metric: 'rssMb', title: 'RSS', unit: 'mb' },
  ],
  seed: 'items',
  synchronous: 'full',
  maxRounds: 3,
  async run({ openSql, warmUpMs, measureMs, storedNumber }) {
    const peer = await openSql({ writes: true });
    const random = new Random(3);
    const rows = Array.from({ length: ROWS }, () => eventOf(random));
    let inserted = 0;
    const insertAll = async (): Promise<void> => {
      await peer.insertMany!(rows);
      inserted += ROWS;
    };
    const metrics = await repeat(insertAll, { rows: ROWS, warmUpMs, measureMs });
    await peer.close();
    strictEqual(await storedNumber('select count(*) from events'), inserted, 'rows in the file');
    return metrics;
  },
};
