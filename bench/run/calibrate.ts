import { DatabaseSync } from 'node:sqlite';
import { scanOf } from '../peers/index.ts';

const GOAL_MS = 1_000;
const PROBE_ROWS = 40;

/** How many numbers each item must be joined with for a scan of about one second on this machine; for all peers. */
export function calibrateScan(template: string): number {
  const db = new DatabaseSync(template, { readOnly: true });
  const statement = db.prepare(scanOf(PROBE_ROWS));
  statement.get();
  const times = [0, 1, 2].map(() => {
    const before = performance.now();
    statement.get();
    return performance.now() - before;
  });
  db.close();
  return Math.ceil((PROBE_ROWS * GOAL_MS) / Math.min(...times));
}
