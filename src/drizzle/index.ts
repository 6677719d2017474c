export { drizzle, type DrizzleOf, type DrizzleOptions } from './drizzle.ts';
export type {
  PostgresDrizzle,
  PostgresDrizzleTransaction,
  PostgresResult,
  PostgresResultHKT,
} from './postgres-drizzle.ts';
export type { DrizzleTransactionOptions } from './scope.ts';
export type { SqliteDrizzle, SqliteDrizzleTransaction } from './sqlite-drizzle.ts';
export { postgres, type PostgresColumns } from './postgres-columns.ts';
export { sqlite, type SqliteColumns } from './sqlite-columns.ts';
export { repository, Repository, type RepositoryClass, type WithPrimaryKey } from './repository.ts';
export type {
  ColumnOf,
  DeleteOptions,
  FindAllOptions,
  FindOptions,
  IdOf,
  KeyedRepositoryOptions,
  KeysetPage,
  KeysetPageOptions,
  NewRowOf,
  NotNullColumnOf,
  OffsetPage,
  OffsetPageOptions,
  Order,
  PatchOf,
  PrimaryKeyOf,
  ReadOptions,
  RepositoryOptions,
  RowOf,
  UpsertOptions,
  Where,
  WithTotal,
} from './row-types.ts';
export type { TableRepository } from './table-repository.ts';
export type { RepositorySource } from './table-store.ts';
export { VersionConflictError } from './version-conflict-error.ts';
