import { firstQuery } from './first-query.ts';
import { growthOfCallers, growthOfInsertCallers, growthOfInserts, growthOfReads } from './growth.ts';
import { inserts } from './inserts.ts';
import { jsonBody } from './json-body.ts';
import { leases } from './leases.ts';
import {
  drizzleInserts,
  drizzlePointReads,
  drizzleReadsUnderScans,
  drizzleSaveMany,
  kyselyInserts,
  kyselyPointReads,
} from './mappers.ts';
import { pointReads } from './point-reads.ts';
import { rangeReads } from './range-reads.ts';
import { readerMemory } from './reader-memory.ts';
import { readsUnderScans } from './reads-under-scans.ts';
import { transactions } from './transactions.ts';
import type { Work } from './work.ts';

export type { Column, Step, Unit, Work } from './work.ts';

/** In the order of the report. */
export const WORKS: readonly Work[] = [
  pointReads(64),
  pointReads(1),
  rangeReads,
  jsonBody,
  inserts(64, 'full'),
  inserts(1, 'full'),
  inserts(64, 'normal'),
  transactions,
  readsUnderScans,
  leases(1),
  leases(64),
  firstQuery,
  readerMemory,
  growthOfCallers,
  growthOfInsertCallers,
  growthOfReads,
  growthOfInserts,
  drizzlePointReads,
  drizzleInserts,
  drizzleReadsUnderScans,
  drizzleSaveMany,
  kyselyPointReads,
  kyselyInserts,
];
