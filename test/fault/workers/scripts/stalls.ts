import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openDatabase } from '../../../../src/index.ts';
import { randomFrom } from '../../../fixtures/scale.ts';

/*
 * A process whose event loop stands still, or which is stopped as a whole, for longer than any of its limits. When it
 * goes on, all timers are due at once, and answers have been waiting behind them. What callers are told must be what
 * the file says.
 */

const { values } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const forMs = Number(values.seconds ?? 4) * 1_000;
const random = randomFrom(seed);
const LIMIT_MS = 100;

const folder = mkdtempSync(join(tmpdir(), 'millpond-stalls-'));
const path = join(folder, 'a.db');
const db = await openDatabase({
  url: `sqlite:${path}`,
  name: false,
  log: 'silent',
  queryTimeoutMs: LIMIT_MS,
  transactionTimeoutMs: LIMIT_MS,
});
await db.script('create table row (id integer primary key, note text)');
const told = new Map<number, string>();
let lastId = 0;

async function writer(until: number): Promise<void> {
  while (performance.now() < until) {
    const id = ++lastId;
    const kind = Math.floor(random() * 4);
    const work = async (): Promise<unknown> => {
      if (kind === 0) return db.run('insert into row (id) values (?)', [id]);
      if (kind === 1) return db.batch([['insert into row (id) values (?)', [id]]]);
      return db.transaction(async (tx) => {
        await tx.run('insert into row (id) values (?)', [id]);
        if (kind === 3) await sleep(random() * 3);
        await tx.value('select count(*) from row where id > ?', [id - 10]);
      });
    };
    await work().then(
      () => told.set(id, 'committed'),
      (error: Error) => told.set(id, error.constructor.name),
    );
  }
}

/** The event loop stands still, now and then, while calls are under way. */
async function stall(until: number): Promise<number> {
  let stalls = 0;
  while (performance.now() < until) {
    await sleep(random() * 60);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LIMIT_MS * 3 + random() * 300);
    stalls += 1;
  }
  return stalls;
}

const until = performance.now() + forMs;
const [stalls] = await Promise.all([stall(until), ...Array.from({ length: 6 }, () => writer(until))]);
await db.close();

const file = new DatabaseSync(path, { readOnly: true });
const ids = new Set(
  file
    .prepare('select id from row')
    .all()
    .map((row) => row['id'] as number),
);
file.close();
rmSync(folder, { recursive: true });
const counts: Record<string, number> = {};
const wrong: string[] = [];
for (const [id, outcome] of told) {
  counts[outcome] = (counts[outcome] ?? 0) + 1;
  if ((outcome === 'committed') !== ids.has(id))
    wrong.push(`${id}: ${outcome}, ${ids.has(id) ? 'there' : 'not there'}`);
}
console.log(JSON.stringify({ seed, stalls, counts, wrong }));
