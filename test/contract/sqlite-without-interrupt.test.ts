import { expect, test, vi } from 'vitest';
import type * as Interrupt from '../../src/sqlite/interrupt.ts';
import { databaseContract } from '../../src/testing/index.ts';
import { openFile, runner } from './sqlite-database.ts';

// As on a machine where the interrupt extension was not built.
vi.mock('../../src/sqlite/interrupt.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof Interrupt>()),
  loadInterrupter: () => undefined,
}));

test('the statistics say how far a running statement can be stopped', async () => {
  const { db, cleanup } = await openFile()({ name: false, log: 'silent' });
  expect(db.stats().sqlite).toMatchObject({ cancellation: 'row' });
  await cleanup();
});

databaseContract('SQLite in a file, without the interrupt extension', openFile(), { runner });
