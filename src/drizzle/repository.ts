import type { Table } from 'drizzle-orm';
import type {
  ColumnOf,
  KeyedRepositoryOptions,
  NotNullColumnOf,
  PrimaryKeyOf,
  RepositoryOptions,
} from './row-types.ts';
import { readTableFacts, type GivenFacts } from './table-facts.ts';
import { TableRepository } from './table-repository.ts';
import { TableStore, type RepositorySource } from './table-store.ts';

/** A table one of whose columns says that it is the primary key. For another one, the options name it. */
export type WithPrimaryKey<T extends Table> = [PrimaryKeyOf<T>] extends [never]
  ? { readonly 'the table has no primary key column: name its key in the options': never }
  : unknown;

/** A class to be extended, or used as it is. Without a source it is the database of `getDb()`. */
export type RepositoryClass<T extends Table, K extends string> = new (
  source?: RepositorySource,
) => TableRepository<T, K>;

/**
 * The rows of a table, as methods: `repository(db, users)`. For methods of your own, extend
 * `Repository(users)`.
 * @throws UsageError when the key is neither the primary key nor unique
 */
export function repository<T extends Table>(
  source: RepositorySource,
  table: T & WithPrimaryKey<T>,
  options?: RepositoryOptions<T>,
): TableRepository<T, PrimaryKeyOf<T>>;
export function repository<T extends Table, const K extends NotNullColumnOf<T>>(
  source: RepositorySource,
  table: T,
  options: KeyedRepositoryOptions<T, K>,
): TableRepository<T, K>;
export function repository<T extends Table>(
  source: RepositorySource,
  table: T,
  options?: GivenFacts,
): TableRepository<T, ColumnOf<T>> {
  return new TableRepository(new TableStore(readTableFacts(table, options), source));
}

/** The same as a class: `class Users extends Repository(users) { … }`. */
export function Repository<T extends Table>(
  table: T & WithPrimaryKey<T>,
  options?: RepositoryOptions<T>,
): RepositoryClass<T, PrimaryKeyOf<T>>;
export function Repository<T extends Table, const K extends NotNullColumnOf<T>>(
  table: T,
  options: KeyedRepositoryOptions<T, K>,
): RepositoryClass<T, K>;
export function Repository<T extends Table>(table: T, options?: GivenFacts): RepositoryClass<T, ColumnOf<T>> {
  const facts = readTableFacts(table, options);
  return class extends TableRepository<T, ColumnOf<T>> {
    constructor(source?: RepositorySource) {
      super(new TableStore(facts, source));
    }
  };
}
