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
    // CPU time, not time: another program on this core would make the scans of the whole run too short.
    const before = process.threadCpuUsage();
    statement.get();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  db.close();
  return Math.ceil((PROBE_ROWS * GOAL_MS) / Math.min(...times));
}
