import { LRUCache } from 'lru-cache';
import { openDatabase, sql } from '../../src/index.ts';
import { createCache } from '../../src/cache/index.ts';

/**
 * What a hit in memory costs beside a bare lru-cache, and what one is worth beside the statement it saves.
 * `node bench/cache/main.ts`; each way in turn, several rounds, the median of them is shown with its spread. Shown
 * is the CPU time of the thread: on a busy machine the clock counts what other programs do.
 */
const KEYS = 1_000;
const CALLS = 1_000_000;
const ROUNDS = 9;
const GET = 'lru-cache get';
const AWAITED_GET = 'lru-cache in an async function';

await main();

async function main(): Promise<void> {
  await using db = await openDatabase('sqlite::memory:', { name: false, log: 'silent' });
  await db.script(`create table cities (id integer primary key, name text);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${KEYS})
    insert into cities select i, 'city ' || i from n`);
  await using cache = createCache(db, { name: false, ttlMs: 3_600_000 });
  const lru = new LRUCache<string, object>({ max: 10_000 });
  const keys = Array.from({ length: KEYS }, (_, index) => `city:${index}`);
  for (const key of keys) {
    lru.set(key, { key });
    await cache.getOrSet(key, () => ({ key }));
  }
  const byId = cache.cached(async function byId(id: number) {
    return db.get(sql`select * from cities where id = ${id}`);
  });
  for (let id = 1; id <= KEYS; id += 1) await byId(id);
  const load = (): object => ({});
  const bare = async (key: string): Promise<object> => lru.get(key) ?? load();
  const ways: Readonly<Record<string, (index: number) => unknown>> = {
    [GET]: (index) => lru.get(keys[index]!),
    [AWAITED_GET]: (index) => bare(keys[index]!),
    'cache.peek': (index) => cache.peek(keys[index]!),
    'cache.getOrSet': (index) => cache.getOrSet(keys[index]!, load),
    'cached function of one number': (index) => byId(index + 1),
    'the statement itself': (index) => db.get(sql`select * from cities where id = ${index + 1}`),
  };
  const seen = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, call] of Object.entries(ways)) {
      const isAsync = name !== GET && name !== 'cache.peek';
      // The CPU time of a thread is counted in steps of up to 10 ms: each way gets about as long.
      const calls = name === 'the statement itself' ? CALLS / 50 : isAsync ? CALLS : CALLS * 4;
      seen.get(name)!.push(await nanoseconds(call, calls, isAsync));
    }
  }
  for (const [name, times] of seen) {
    const sorted = sortedUp(times);
    const [low, mid, high] = [sorted[0]!, sorted[ROUNDS >> 1]!, sorted.at(-1)!];
    // A synchronous call beside a synchronous one, an awaited one beside an awaited one; round by round.
    const beside = name === GET || name === 'cache.peek' ? GET : AWAITED_GET;
    const ratio = sortedUp(times.map((time, round) => seen.get(beside)![round]! / time))[ROUNDS >> 1]!;
    process.stdout.write(
      `${name.padEnd(32)} ${mid.toFixed(0).padStart(7)} ns  (${low.toFixed(0)} to ${high.toFixed(0)})  ` +
        `${ratio.toFixed(2)} of the speed of ${beside}\n`,
    );
  }
}

function sortedUp(numbers: readonly number[]): number[] {
  return numbers.toSorted((one, other) => one - other);
}

/** For one call, awaited one after another where it gives a promise. */
async function nanoseconds(
  call: (index: number) => unknown,
  calls: number,
  isAsync: boolean,
): Promise<number> {
  let found = 0;
  const before = process.threadCpuUsage();
  if (isAsync) {
    for (let index = 0; index < calls; index += 1)
      if ((await call((index * 7) % KEYS)) !== undefined) found += 1;
  } else {
    for (let index = 0; index < calls; index += 1) if (call((index * 7) % KEYS) !== undefined) found += 1;
  }
  const { user, system } = process.threadCpuUsage(before);
  if (found !== calls) throw new Error(`${calls - found} calls found nothing`);
  return ((user + system) * 1e3) / calls;
}
