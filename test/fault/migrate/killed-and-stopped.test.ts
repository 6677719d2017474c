import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { migrate, migrationStatus } from '../../../src/migrate/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { MIGRATION_RUNNER, startStoppedRunner } from '../../fixtures/migration-runner.ts';
import { runScript, type ScriptEnd } from '../../fixtures/run-script.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { expectAtRest, scratchPath } from '../../fixtures/scratch-database.ts';
import { MIGRATIONS, STEPS_OF_EACH, thirtyStatements } from '../../fixtures/thirty-statements.ts';

/** Runners beside one that was stopped: seven with TEST_SCALE=3. */
const OTHERS = Math.min(7, scaled(3));

async function dump(db: Database): Promise<unknown> {
  // The statistics of the planner are gathered when a database is closed.
  const schema = await db.all(
    "select type, name, sql from sqlite_schema where name not like 'sqlite_stat%' order by name",
  );
  const history = await db.all(
    'select position, name, checksum, state from millpond_migrations order by position',
  );
  return { schema, history, applied: await db.all('select number from applied order by number') };
}

const open = (path: string): Promise<Database> =>
  openDatabase({ url: `sqlite:${path}`, name: false, log: 'silent' });

async function expected(folder: string): Promise<unknown> {
  await using db = await open(scratchPath());
  await migrate(db, { folder });
  return await dump(db);
}

function run(path: string, folder: string, ...args: string[]): Promise<ScriptEnd> {
  return runScript(MIGRATION_RUNNER, { args: [`sqlite:${path}`, folder, ...args] });
}

const LIMIT_MS = scaledTimeoutMs();

test(
  'C53, B16: a migration killed at any statement leaves before or after, and a rerun gives the same',
  { timeout: LIMIT_MS },
  async () => {
    const folder = await folderWith(thirtyStatements());
    const whole = await expected(folder);
    const random = randomFrom(seed);
    // Each step once with TEST_SCALE=7.
    const points = Array.from({ length: scaled(6) }, (_, index) => {
      const step = index < 40 && scaled(1) >= 7 ? index : Math.floor(random() * MIGRATIONS * STEPS_OF_EACH);
      return step + 1;
    });
    for (const point of points) {
      const path = scratchPath();
      const end = await run(path, folder, '5000', 'kill', String(point));
      expect(end.signal, `step ${point}: ${end.stderr}`).toBe('SIGKILL');
      await using db = await open(path);
      const { applied, faults } = await migrationStatus(db, { folder });
      expect(applied).toHaveLength(Math.floor((point - 1) / STEPS_OF_EACH));
      expect(faults).toEqual([]);
      await migrate(db, { folder });
      expect(await dump(db), `killed at step ${point}, seed ${seed}`).toEqual(whole);
      await expectAtRest(db);
    }
  },
);

describe('C54, B16: eight runners at once', () => {
  test('apply each migration once', { timeout: LIMIT_MS }, async () => {
    const folder = await folderWith(thirtyStatements());
    const whole = await expected(folder);
    for (let round = 0; round < scaled(1); round += 1) {
      const path = scratchPath();
      const ends = await Promise.all(Array.from({ length: 8 }, () => run(path, folder, '30000', 'run')));
      const done = ends.flatMap(({ lines }) => (lines[0] as { done: string[] }).done);
      expect(done.toSorted()).toEqual(
        Object.keys(thirtyStatements()).map((file) => file.replace('.sql', '')),
      );
      await using db = await open(path);
      expect(await dump(db)).toEqual(whole);
    }
  });

  test(
    'wait as long as they said for one that was stopped with the lock',
    { timeout: LIMIT_MS },
    async () => {
      const folder = await folderWith(thirtyStatements());
      const path = scratchPath();
      const stopped = await startStoppedRunner(`sqlite:${path}`, folder, 'stop-inside');
      const ends = await Promise.all(Array.from({ length: OTHERS }, () => run(path, folder, '500', 'run')));
      for (const { lines, stderr } of ends) {
        expect(lines[0], stderr).toMatchObject({ kind: 'locked' });
        expect((lines[0] as { tookMs: number }).tookMs).toBeLessThan(10_000);
      }
      stopped.kill('SIGCONT');
      await once(stopped, 'close');
      await using db = await open(path);
      expect(await dump(db)).toEqual(await expected(folder));
    },
  );

  test(
    'do the work of one that was stopped between two, which then finds it done',
    { timeout: LIMIT_MS },
    async () => {
      const folder = await folderWith(thirtyStatements());
      const path = scratchPath();
      const stopped = await startStoppedRunner(`sqlite:${path}`, folder, 'stop-between');
      let told = '';
      stopped.stdout!.on('data', (text: Buffer) => (told += text.toString()));
      const ends = await Promise.all(Array.from({ length: OTHERS }, () => run(path, folder, '30000', 'run')));
      expect(ends.flatMap(({ lines }) => (lines[0] as { done: string[] }).done)).toHaveLength(MIGRATIONS - 1);
      stopped.kill('SIGCONT');
      await once(stopped, 'close');
      expect(told).toContain('{"done":["0001_step"]}');
      await using db = await open(path);
      expect(await dump(db)).toEqual(await expected(folder));
    },
  );
});
