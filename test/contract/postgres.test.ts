import { openDatabase, type DatabaseOptions } from '../../src/index.ts';
import { databaseContract, type OpenContractDatabase } from '../../src/testing/index.ts';
import { sharedPostgresDatabase } from '../servers/shared.ts';
import { runner } from './sqlite-database.ts';

/** A new, empty database on the server that all tests share. */
function openServer(settings: Omit<DatabaseOptions, 'url'> = {}): OpenContractDatabase {
  return async (options) => {
    const db = await openDatabase(await sharedPostgresDatabase(), { ...settings, ...options });
    return { db, cleanup: () => db.close({ timeoutMs: 1_000 }) };
  };
}

databaseContract('PostgreSQL', openServer(), { runner });
