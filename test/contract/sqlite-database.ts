import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { openDatabase, type DatabaseOptions } from '../../src/index.ts';
import type { OpenContractDatabase, TestRunner } from '../../src/testing/index.ts';

export const runner: TestRunner = { describe, it, afterAll };

/** A database in a file of a new folder, which goes with it. */
export function openFile(settings: Omit<DatabaseOptions, 'url'> = {}): OpenContractDatabase {
  return async (options) => {
    const folder = mkdtempSync(join(tmpdir(), 'millpond-contract-'));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    try {
      const db = await openDatabase(`sqlite:${join(folder, 'contract.db')}`, { ...settings, ...options });
      return { db, cleanup: () => db.close({ timeoutMs: 1_000 }).finally(remove) };
    } catch (error) {
      remove();
      throw error;
    }
  };
}

export const openMemory: OpenContractDatabase = async (options) => {
  const db = await openDatabase('sqlite::memory:', options);
  return { db, cleanup: () => db.close({ timeoutMs: 1_000 }) };
};
