import type { DatabaseConnection, Driver, TransactionSettings } from 'kysely';
import type { Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { HeldTransaction } from './held-transaction.ts';
import { KyselyConnection } from './kysely-connection.ts';
import { RawStatements } from './raw-statements.ts';

/**
 * Kysely's connections are places to put a transaction: nothing is leased for them, so each query alone is
 * placed by the engine.
 */
export class MillpondDriver implements Driver {
  readonly #db: Database;
  readonly #raw: RawStatements;

  constructor(db: Database) {
    this.#db = db;
    this.#raw = new RawStatements(db);
  }

  async init(): Promise<void> {
    // The database is open.
  }

  async acquireConnection(): Promise<KyselyConnection> {
    return new KyselyConnection(this.#db, this.#raw);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { isolationLevel: isolation, accessMode } = settings;
    if (isolation === 'snapshot') {
      throw new UsageError("The isolation level 'snapshot' is SQL Server's; here it is 'repeatable read'.");
    }
    own(connection).transaction = await HeldTransaction.begin(this.#db, {
      ...(isolation !== undefined && { isolation }),
      ...(accessMode !== undefined && { readOnly: accessMode === 'read only' }),
    });
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await running(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await running(connection).rollback();
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await running(connection).savepoint(name);
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await running(connection).rollbackToSavepoint(name);
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await running(connection).releaseSavepoint(name);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    // A connection given back inside a transaction would never end it.
    await own(connection).transaction?.rollback();
  }

  async destroy(): Promise<void> {
    // Whoever opened the database closes it.
  }
}

function own(connection: DatabaseConnection): KyselyConnection {
  if (connection instanceof KyselyConnection) return connection;
  throw new UsageError('The connection belongs to another driver.');
}

function running(connection: DatabaseConnection): HeldTransaction {
  const { transaction } = own(connection);
  if (transaction !== undefined) return transaction;
  throw new UsageError('The connection is not in a transaction.');
}
