import type { DatabaseOptions } from '../config/index.ts';
import type { Database } from '../database/index.ts';

/** Options of a database for the contract; whoever opens it decides where it lives. */
export type ContractOptions = Omit<DatabaseOptions, 'url'>;

export interface OpenedDatabase {
  readonly db: Database;
  /** Closes the database and removes all that it left. */
  cleanup(): Promise<void>;
}

/** Opens a new, empty database with these options. */
export type OpenContractDatabase = (options: ContractOptions) => Promise<OpenedDatabase>;

/** What a behaviour is checked on. */
export interface Stage {
  /** Holds the tables of `CONTRACT_TABLES`, empty. */
  readonly db: Database;
  /** Another database, without tables; removed when the behaviour was checked. */
  readonly open: (options?: ContractOptions) => Promise<Database>;
}

export type Check = (stage: Stage) => Promise<void>;

/** A behaviour that needs a database of its own, with these options. */
interface IsolatedBehaviour {
  readonly options: ContractOptions;
  readonly check: Check;
}

/** What every engine does, by the sentence that says so. Requirements and faults are named at its end. */
export type Behaviours = Readonly<Record<string, Check | IsolatedBehaviour>>;

/** In words that SQLite and PostgreSQL share. */
export const CONTRACT_TABLES = `
  drop table if exists parts;
  drop table if exists things;
  create table things (
    id integer primary key,
    name text not null unique,
    size integer not null default 0 check (size >= 0),
    note text
  );
  create table parts (id integer primary key, thing_id integer not null references things (id));
`;
