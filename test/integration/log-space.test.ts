import { copyFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/index.ts';
import { expectAtRest, openScratch, scratchPath } from '../fixtures/scratch-database.ts';

const MIB = 1024 * 1024;

async function write(db: Awaited<ReturnType<typeof openScratch>>['db'], rows: number): Promise<void> {
  for (let done = 0; done < rows; done += 64) {
    await Promise.all(
      Array.from({ length: 64 }, () => db.run('insert into t values (:x)', { x: 'x'.repeat(64) })),
    );
  }
}

test('zeros behind the end of the log lose nothing and add nothing when it is read after a crash (B2)', async () => {
  const { db, path } = await openScratch('create table t (x)');
  await write(db, 6_400);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(MIB);
  // What a process that dies now would leave.
  const copy = scratchPath();
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  const recovered = await openDatabase({ url: `sqlite:${copy}`, name: false, log: 'silent' });
  expect(await recovered.value('select count(*) from t')).toBe(6_400);
  expect(await recovered.value('pragma integrity_check')).toBe('ok');
  await recovered.close();
  await expectAtRest(db);
});

test('the figures name what was configured, in its own words (B3)', async () => {
  const durabilityOf = async (options: object) => {
    const { db } = await openScratch('create table t (x)', options);
    return db.stats().sqlite!['durability'];
  };
  expect(await durabilityOf({})).toBe('full');
  expect(await durabilityOf({ durability: 'process' })).toBe('process');
  expect(await durabilityOf({ sqlite: { synchronous: 'extra' } })).toBe('full');
});

test('a log whose commits do not wait for the disk is left as it is', async () => {
  const { db, path } = await openScratch('create table t (x)', { durability: 'process' });
  await write(db, 6_400);
  // A header and whole frames, as SQLite leaves it.
  expect((statSync(`${path}-wal`).size - 32) % 4_120).toBe(0);
  await expectAtRest(db);
});
