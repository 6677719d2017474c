import type { Database } from '../database/index.ts';
import {
  CONTRACT_TABLES,
  type Behaviours,
  type Check,
  type ContractOptions,
  type OpenContractDatabase,
  type OpenedDatabase,
} from './behaviour.ts';
import { expectAtRest } from './expect-at-rest.ts';

/** Not in the registry, and silent: behaviours provoke what is logged otherwise. */
const DEFAULTS: ContractOptions = { name: false, log: 'silent' };

/**
 * Checks behaviours one after another. Most share one database: opening one costs more than most checks. A
 * check that fails may have left anything behind, so the next one gets a new database.
 */
export class ContractStage {
  readonly #open: OpenContractDatabase;
  #shared: OpenedDatabase | undefined;

  constructor(open: OpenContractDatabase) {
    this.#open = open;
  }

  async check(behaviour: Behaviours[string]): Promise<void> {
    if (typeof behaviour === 'function') return this.#checkShared(behaviour);
    const opened = await this.#open({ ...DEFAULTS, ...behaviour.options });
    try {
      await this.#perform(behaviour.check, opened.db);
    } finally {
      await opened.cleanup();
    }
  }

  async close(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    await shared?.cleanup();
  }

  async #checkShared(check: Check): Promise<void> {
    this.#shared ??= await this.#open(DEFAULTS);
    try {
      await this.#perform(check, this.#shared.db);
      await expectAtRest(this.#shared.db);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #perform(check: Check, db: Database): Promise<void> {
    const others: OpenedDatabase[] = [];
    const open = async (options: ContractOptions = {}): Promise<Database> => {
      const opened = await this.#open({ ...DEFAULTS, ...options });
      others.push(opened);
      return opened.db;
    };
    try {
      await db.script(CONTRACT_TABLES);
      await check({ db, open });
    } finally {
      for (const other of others.reverse()) await other.cleanup();
    }
  }
}
