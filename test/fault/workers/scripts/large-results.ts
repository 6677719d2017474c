import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '../../../../src/index.ts';

/*
 * More rows than fit into memory, through a stream; a value of 100 MB.
 * Tens of millions of rows: node test/fault/workers/scripts/large-results.ts --rows 30000000
 */

const { values } = parseArgs({ options: { rows: { type: 'string' } } });
const rows = Number(values.rows ?? 1_000_000);
const MIB = 1_048_576;
const BLOB_BYTES = 100 * MIB;

const folder = mkdtempSync(join(tmpdir(), 'millpond-large-'));
const db = await openDatabase({ url: `sqlite:${join(folder, 'a.db')}`, name: false, log: 'silent' });
await db.script('create table item (id integer primary key, bytes blob)');
const NUMBERS = (count: number): string =>
  `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
   select i, 'some text of row ' || i as text, i * 0.5 as half from n`;

let mostMiB = 0;
const watch = setInterval(() => (mostMiB = Math.max(mostMiB, process.memoryUsage.rss() / MIB)), 5);

/** The most memory that the process had during `work`, above what it had before. */
async function growthDuring<T>(
  work: () => Promise<T>,
): Promise<{ result: T; growthMiB: number; tookMs: number }> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss() / MIB;
  mostMiB = before;
  const startedAt = performance.now();
  const result = await work();
  return {
    result,
    growthMiB: Math.round(mostMiB - before),
    tookMs: Math.round(performance.now() - startedAt),
  };
}

const streamed = await growthDuring(async () => {
  let [count, sum] = [0, 0];
  for await (const row of db.stream<{ i: number; half: number }>(NUMBERS(rows), [], {
    timeoutMs: 0,
  })) {
    count += 1;
    sum += row.i + row.half;
  }
  return { count, isWhole: sum === 1.5 * ((rows * (rows + 1)) / 2) };
});

/** A consumer that is slower than the reader: rows must wait in the file, not in memory. */
const slowly = await growthDuring(async () => {
  let count = 0;
  for await (const row of db.stream(NUMBERS(rows), [], { timeoutMs: 0 })) {
    if (row['i'] === 20_000) break;
    if (++count % 1_000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return count;
});

const bytes = new Uint8Array(BLOB_BYTES);
for (let index = 0; index < bytes.length; index += 4096) bytes[index] = index / 4096;
const hash = (of: Uint8Array): string => createHash('sha256').update(of).digest('hex');
const wanted = hash(bytes);
const blob = await growthDuring(async () => {
  await db.run('insert into item values (1, ?)', [bytes]);
  const row = (await db.get<{ bytes: Uint8Array }>('select bytes from item where id = 1'))!;
  return hash(row.bytes) === wanted && row.bytes.length === BLOB_BYTES;
});

clearInterval(watch);
await db.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ rows, streamed, slowly, blob }));
