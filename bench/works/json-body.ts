import { deepStrictEqual } from 'node:assert/strict';
import { measureCallers } from '../harness/callers.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import type { ItemRow, MaybePromise, SqlPeer } from '../peers/index.ts';
import { expectedRow } from './answers.ts';
import type { Work } from './work.ts';

const ROWS = 10_000;

export const jsonBody: Work = {
  name: 'json-body',
  title: '10,000 rows to a JSON response body',
  what: 'one caller; the bytes of a JSON array of 10,000 rows: Buffer.from(JSON.stringify(rows)), or the peer’s own way',
  peers: ['millpond', 'better-sqlite3', 'node:sqlite', 'libsql promise', 'better-sqlite3 workers'],
  reference: ['better-sqlite3'],
  better: 'lower',
  columns: [
    { metric: 'mainBusyMs', title: 'main busy/body', unit: 'ms' },
    { metric: 'p50Ms', title: 'wall p50', unit: 'ms' },
    { metric: 'p99Ms', title: 'wall p99', unit: 'ms' },
    { metric: 'loopMaxMs', title: 'loop max', unit: 'ms' },
    { metric: 'allCpuMsPerBody', title: 'all CPU/body', unit: 'ms' },
  ],
  seed: 'items',
  synchronous: 'full',
  async run({ openSql, warmUpMs, measureMs }) {
    const peer = await openSql();
    await checkBody(peer);
    const metrics = await measureCallers({
      callers: 1,
      warmUpMs,
      measureMs,
      call: (random) => bodyOf(peer, 1 + random.below(ITEM_COUNT.items - ROWS)),
      take: (body) => {
        // The smallest row is longer than 80 bytes: a truncated body cannot pass for a fast one.
        if (body.byteLength < ROWS * 80)
          throw new RangeError(`A body of ${body.byteLength} bytes is too short.`);
      },
    });
    await peer.close();
    return {
      ...metrics,
      mainBusyMs: metrics['mainCpuUsPerCall']! / 1_000,
      allCpuMsPerBody: metrics['allCpuUsPerCall']! / 1_000,
    };
  },
};

function bodyOf(peer: SqlPeer, firstId: number): MaybePromise<Uint8Array> {
  if (peer.jsonBody !== undefined) return peer.jsonBody(firstId, ROWS);
  const rows = peer.rangeRead(firstId, ROWS);
  return rows instanceof Promise ? rows.then(toBytes) : toBytes(rows);
}

function toBytes(rows: readonly ItemRow[]): Uint8Array {
  return Buffer.from(JSON.stringify(rows));
}

async function checkBody(peer: SqlPeer): Promise<void> {
  const rows = JSON.parse(Buffer.from(await bodyOf(peer, 5)).toString()) as ItemRow[];
  deepStrictEqual(
    rows,
    Array.from({ length: ROWS }, (_, index) => expectedRow(5 + index)),
  );
}
