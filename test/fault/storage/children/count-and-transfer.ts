/**
 * One of several processes on one file: counts up and moves money, with plain statements and with
 * transactions that read before they write. Arguments: the file, how many operations, the seed. Tells what it
 * did, and each error.
 */
import { MillpondError, openDatabase } from '../../../../src/index.ts';
import { ACCOUNTS, COUNTERS } from '../processes.ts';
import { randomFrom } from '../../../fixtures/scale.ts';
import { between } from '../random.ts';
import { tell } from './tell.ts';

const CALLERS = 8;
const [path, operations, seed] = process.argv.slice(2) as [string, string, string];
const random = randomFrom(Number(seed));
const db = await openDatabase(`sqlite:${path}`, { log: 'silent', sqlite: { walCheckpointBytes: 262_144 } });
let left = Number(operations);
let increments = 0;
let slowestMs = 0;

tell('ready');
await Promise.all(Array.from({ length: CALLERS }, work));
await db.close();
tell('done', increments, Math.round(slowestMs));

async function work(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const startedAt = performance.now();
    try {
      await choose();
    } catch (error) {
      tell('error', error instanceof MillpondError ? error.code : '', String(error));
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
}

async function choose(): Promise<void> {
  const counter = between(random, 1, COUNTERS);
  switch (between(random, 0, 2)) {
    case 0:
      await db.run('update counters set value = value + 1 where id = ?', [counter]);
      increments += 1;
      break;
    case 1:
      await incrementByHand(counter);
      increments += 1;
      break;
    default:
      await transfer(between(random, 1, ACCOUNTS), between(random, 1, ACCOUNTS), between(random, 1, 50));
  }
}

/** Loses an update wherever another transaction comes between its read and its write. */
function incrementByHand(id: number): Promise<void> {
  return db.transaction(async (tx) => {
    const value = await tx.value<number>('select value from counters where id = ?', [id]);
    await tx.run('update counters set value = ? where id = ?', [value! + 1, id]);
  });
}

function transfer(from: number, to: number, amount: number): Promise<void> {
  return db.transaction(async (tx) => {
    const balance = (id: number) => tx.value<number>('select balance from accounts where id = ?', [id]);
    await tx.run('update accounts set balance = ? where id = ?', [(await balance(from))! - amount, from]);
    await tx.run('update accounts set balance = ? where id = ?', [(await balance(to))! + amount, to]);
  });
}
